#pragma once

namespace mla {

/// Starts the program over and over: ms from before its fork and exec to its first painted token.
void measure_start(int times);

}  // namespace mla
