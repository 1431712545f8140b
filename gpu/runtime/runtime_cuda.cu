// gpu/runtime/runtime.h on CUDA's runtime, which is linked statically: it starts without a driver and then says so.
#include <cuda_runtime.h>

#include "gpu/runtime/runtime.h"

namespace mla::gpu {
namespace {

Failure::Kind kind_of(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return Failure::Kind::out_of_memory;
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorECCUncorrectable:
    case cudaErrorAssert:
    case cudaErrorDevicesUnavailable:
      return Failure::Kind::lost;
    default:
      return Failure::Kind::other;
  }
}

void check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // one that can be survived is not met again at the next call
  throw Failure(kind_of(error), std::string("CUDA: ") + doing + ": " + cudaGetErrorString(error));
}

cudaStream_t of(const Stream& stream) { return static_cast<cudaStream_t>(stream.native()); }
cudaEvent_t of(const Event& event) { return static_cast<cudaEvent_t>(event.native()); }

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

/// What is asked whether anything was compiled for a device.
__global__ void nothing() {}

Error why_no_device(cudaError_t error) {
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  if (error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice) {
    if (driver == 0) return {"no NVIDIA driver is installed"};
    if (error == cudaErrorInsufficientDriver)
      return {"the NVIDIA driver serves CUDA up to " + version(driver) + ", this program needs " + version(runtime)};
    return {"no NVIDIA GPU was found"};
  }
  return {std::string("CUDA does not start: ") + cudaGetErrorString(error)};
}

}  // namespace

Result<DeviceFacts> find_device() {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess || count == 0) {
    cudaGetLastError();
    return why_no_device(error == cudaSuccess ? cudaErrorNoDevice : error);
  }
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, 0); error != cudaSuccess) return why_no_device(error);
  DeviceFacts facts;
  facts.name = properties.name;
  facts.major = properties.major;
  facts.minor = properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.shared_bytes = int(properties.sharedMemPerBlockOptin);
  facts.total_memory = std::int64_t(properties.totalGlobalMem);
  cudaDriverGetVersion(&facts.driver);
  cudaRuntimeGetVersion(&facts.runtime);
  if (facts.capability() < 75)
    return Error{facts.name + " has compute capability " + std::to_string(facts.major) + "." + std::to_string(facts.minor) +
                 ", the kernels need 7.5 or later"};
  if (const cudaError_t error = cudaFree(nullptr); error != cudaSuccess)  // a context: what an occupied device refuses
    return Error{facts.name + " cannot be used: " + cudaGetErrorString(error)};
  cudaFuncAttributes attributes;
  if (const cudaError_t error = cudaFuncGetAttributes(&attributes, nothing); error != cudaSuccess) {
    cudaGetLastError();
    return Error{facts.name + " has compute capability " + std::to_string(facts.major) + "." + std::to_string(facts.minor) +
                 ", for which this program holds no kernels: " + cudaGetErrorString(error)};
  }
  facts.compiled = attributes.ptxVersion;
  return facts;
}

std::int64_t free_memory() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for the free memory");
  return std::int64_t(free);
}

Memory::Memory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const std::string doing = "allocating " + std::to_string(bytes) + " bytes";
  check(cudaMalloc(reinterpret_cast<void**>(&data_), bytes), doing.c_str());
}

Memory::~Memory() {
  if (data_) cudaFree(data_);
}

Pinned::Pinned(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  check(cudaMallocHost(reinterpret_cast<void**>(&data_), bytes), "allocating pinned memory");
}

Pinned::~Pinned() {
  if (data_) cudaFreeHost(data_);
}

Event::Event() {
  cudaEvent_t event;
  check(cudaEventCreateWithFlags(&event, cudaEventDefault), "creating an event");
  native_ = event;
}

Event::~Event() {
  if (native_) cudaEventDestroy(of(*this));
}

void Event::synchronize() const { check(cudaEventSynchronize(of(*this)), "waiting for an event"); }

double milliseconds_between(const Event& from, const Event& to) {
  float ms = 0;
  check(cudaEventElapsedTime(&ms, of(from), of(to)), "timing");
  return ms;
}

Graph::~Graph() {
  if (native_) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(native_));
}

Stream::Stream() {
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
  native_ = stream;
}

Stream::~Stream() { cudaStreamDestroy(of(*this)); }

// Nothing may lie nowhere, which neither a copy nor a graph's node takes.
void Stream::to_device(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, of(*this)), "copying to the device");
}
void Stream::to_host(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, of(*this)), "copying from the device");
}
void Stream::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, of(*this)), "copying on the device");
}
void Stream::zero(void* to, std::size_t bytes) {
  if (bytes > 0) check(cudaMemsetAsync(to, 0, bytes, of(*this)), "clearing memory");
}
void Stream::record(const Event& event) { check(cudaEventRecord(of(event), of(*this)), "recording an event"); }
void Stream::record_in_capture(const Event& event) {
  check(cudaEventRecordWithFlags(of(event), of(*this), cudaEventRecordExternal), "recording an event in a graph");
}
void Stream::wait(const Event& event) { check(cudaStreamWaitEvent(of(*this), of(event)), "waiting for another stream"); }
void Stream::synchronize() { check(cudaStreamSynchronize(of(*this)), "running kernels"); }

void Stream::begin_capture() {
  check(cudaStreamBeginCapture(of(*this), cudaStreamCaptureModeThreadLocal), "beginning a graph");
}

Graph Stream::end_capture() {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(of(*this), &graph), "ending a graph");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "making a graph");
  return Graph(exec);
}

void Stream::cancel_capture() noexcept {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(of(*this), &graph) == cudaSuccess && graph) cudaGraphDestroy(graph);
  cudaGetLastError();
}

void Stream::launch(const Graph& graph) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph.native()), of(*this)), "launching a graph");
}

void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

void allow_shared(const void* entry, const char* kernel, std::size_t bytes) {
  check(cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)), kernel);
}

}  // namespace mla::gpu
