#pragma once

namespace mla {

/// Marks the calling thread as one that must never run the engine (the window's). Engine calls made on it are counted.
void forbid_engine_on_this_thread();

/// Engine calls (load, prefill, step) made on forbidden threads since the program started. A test asserts that it stays 0.
int engine_calls_on_forbidden_thread();

/// Called by the engine's entry points.
void note_engine_call();

}  // namespace mla
