#pragma once

/// The CUDA runtime with owners for what it hands out. A call that fails throws Error with the
/// runtime's own words.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hw/kernel.h"
#include "hw/probe/device/element.h"

namespace forerun::hw::device {

/// Device memory, freed at the end. Not initialised.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&&) = delete;
  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Host memory that the device copies from without a detour.
class PinnedBuffer {
 public:
  explicit PinnedBuffer(std::size_t bytes);
  ~PinnedBuffer();
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(data_), size_};
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

class CudaStream {
 public:
  CudaStream();
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  [[nodiscard]] cudaStream_t get() const { return stream_; }
  void synchronise() const;

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaEvent {
 public:
  CudaEvent();
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  void record(cudaStream_t stream) const;
  [[nodiscard]] bool done() const;
  [[nodiscard]] cudaEvent_t get() const { return event_; }
  /// Waits for `end`.
  [[nodiscard]] static double seconds(const CudaEvent& begin, const CudaEvent& end);

 private:
  cudaEvent_t event_ = nullptr;
};

/// Of a product's inputs in this precision (tf32 lies in memory as 32 bit), and of its result.
[[nodiscard]] Element input_element(Precision);
[[nodiscard]] Element result_element(Precision);

/// `count` elements from element `first` on, as double.
[[nodiscard]] std::vector<double> download(const void* base, Element, std::int64_t first,
                                           std::int64_t count);
/// Copies from host memory, and waits: what other streams run afterwards sees it, which the
/// default stream does not promise to streams like ours.
void upload(void* to, const void* from, std::size_t bytes, const CudaStream&);

}  // namespace forerun::hw::device
