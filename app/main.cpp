#include "app/cli/program.h"

int main(int argc, char** argv) { return mla::run_program(argc, argv); }
