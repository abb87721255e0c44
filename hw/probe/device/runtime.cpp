#include "hw/probe/device/runtime.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace forerun::hw::device {
namespace {

double from_bits(std::uint32_t sign, int exponent_bits, int mantissa_bits, std::uint32_t body) {
  const std::uint32_t mantissa = body & ((1u << mantissa_bits) - 1);
  const auto exponent = static_cast<int>(body >> mantissa_bits);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double fraction = std::ldexp(static_cast<double>(mantissa), -mantissa_bits);
  const double size =
      exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
  return sign != 0 ? -size : size;
}

/// Infinities of fp16 come out as finite large numbers: a check then fails, as it should.
double value_of(const std::byte* at, Element e) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, at, size_of(e));
  switch (e) {
    case Element::bf16:
      return static_cast<double>(std::bit_cast<float>(bits << 16));
    case Element::fp16:
      return from_bits(bits >> 15, 5, 10, bits & 0x7fff);
    case Element::fp32:
      return static_cast<double>(std::bit_cast<float>(bits));
    case Element::e4m3:
      return from_bits(bits >> 7, 4, 3, bits & 0x7f);
    case Element::int32:
      return static_cast<double>(std::bit_cast<std::int32_t>(bits));
  }
  return 0;
}

}  // namespace

void check(cudaError_t result, const char* call) {
  if (result == cudaSuccess) return;
  throw Error(ExitCode::wrong, fmt::format("{}: {}", call, cudaGetErrorString(result)));
}

Buffer::Buffer(std::size_t bytes) : size_(bytes) { check(cudaMalloc(&data_, bytes), "cudaMalloc"); }
Buffer::~Buffer() { (void)cudaFree(data_); }
Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PinnedBuffer::PinnedBuffer(std::size_t bytes) : size_(bytes) {
  check(cudaMallocHost(&data_, bytes), "cudaMallocHost");
}
PinnedBuffer::~PinnedBuffer() { (void)cudaFreeHost(data_); }

CudaStream::CudaStream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
}
CudaStream::~CudaStream() { (void)cudaStreamDestroy(stream_); }
void CudaStream::synchronise() const {
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

CudaEvent::CudaEvent() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
CudaEvent::~CudaEvent() { (void)cudaEventDestroy(event_); }
void CudaEvent::record(cudaStream_t stream) const {
  check(cudaEventRecord(event_, stream), "cudaEventRecord");
}
bool CudaEvent::done() const {
  const cudaError_t result = cudaEventQuery(event_);
  if (result == cudaErrorNotReady) return false;
  check(result, "cudaEventQuery");
  return true;
}
double CudaEvent::seconds(const CudaEvent& begin, const CudaEvent& end) {
  check(cudaEventSynchronize(end.event_), "cudaEventSynchronize");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin.event_, end.event_), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

std::size_t size_of(Element e) {
  switch (e) {
    case Element::bf16:
    case Element::fp16:
      return 2;
    case Element::fp32:
    case Element::int32:
      return 4;
    case Element::e4m3:
      return 1;
  }
  return 0;
}

Element input_element(Precision p) {
  switch (p) {
    case Precision::fp16:
      return Element::fp16;
    case Precision::fp32:
    case Precision::tf32:
      return Element::fp32;
    case Precision::fp8:
      return Element::e4m3;
    case Precision::bf16:
      return Element::bf16;
    case Precision::mxfp8:
    case Precision::nvfp4:
    case Precision::fp8_block:
      break;
  }
  throw Error(ExitCode::wrong, fmt::format("the probe has no products in {}", name(p)));
}

Element result_element(Precision p) {
  const Element in = input_element(p);
  return in == Element::e4m3 ? Element::bf16 : in;
}

std::vector<double> download(const void* base, Element e, std::int64_t first, std::int64_t count) {
  const std::size_t size = size_of(e);
  std::vector<std::byte> raw(static_cast<std::size_t>(count) * size);
  const auto* from = static_cast<const std::byte*>(base) + static_cast<std::size_t>(first) * size;
  check(cudaMemcpy(raw.data(), from, raw.size(), cudaMemcpyDeviceToHost), "cudaMemcpy");
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < raw.size(); i += size) values.push_back(value_of(&raw[i], e));
  return values;
}

void upload(void* to, const void* from, std::size_t bytes, const CudaStream& stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()), "cudaMemcpyAsync");
  stream.synchronise();
}

}  // namespace forerun::hw::device
