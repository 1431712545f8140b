#include "tests/bench/window/start.h"

#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace mla {
namespace {

/// ms until the program says that its first token is painted; negative where it does not.
double start_once(const QByteArray& settings) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setenv("MLA_REPORT_START", "1", 1);
    setenv("XDG_CONFIG_HOME", settings.constData(), 1);  // as on the first start: nothing is remembered
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    execl(MLA_PROGRAM, MLA_PROGRAM, static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  char first = 0;
  const bool said = read(ends[0], &first, 1) == 1;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return said ? took.count() : -1;
}

}  // namespace

void measure_start(int times) {
  std::vector<double> ms;
  for (int i = 0; i < times; ++i) {
    const QTemporaryDir settings;
    ms.push_back(start_once(settings.path().toLocal8Bit()));
  }
  std::printf("start to first painted token: first %.0f ms", ms.front());
  std::sort(ms.begin(), ms.end());
  std::printf(", median %.0f ms, worst %.0f ms (%d starts)\n", ms[ms.size() / 2], ms.back(), times);
}

}  // namespace mla
