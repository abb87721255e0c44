#include "hw/probe/device/nccl.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/library.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

// NCCL's C interface, stable since 2.7, checked against its header in abi_check.cpp.
constexpr int kBfloat16 = 9, kSum = 0;

/// Makes a device current, and the one before it again.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~OnDevice() { (void)cudaSetDevice(before_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
};

/// An open group of calls, which ends even if one of them throws.
class Group {
 public:
  explicit Group(int (*closer)()) : end_(closer) {}
  ~Group() {
    if (end_ != nullptr) (void)end_();
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  /// Ends it, with the library's answer.
  [[nodiscard]] int end() { return std::exchange(end_, nullptr)(); }

 private:
  int (*end_)();
};

}  // namespace

struct Nccl::Functions {
  Library library{std::string("libnccl.so.2")};
  const char* (*words)(int) = library.function<const char*(int)>("ncclGetErrorString");
  int (*version)(int*) = library.function<int(int*)>("ncclGetVersion");
  int (*open)(void**, int,
              const int*) = library.function<int(void**, int, const int*)>("ncclCommInitAll");
  int (*close)(void*) = library.function<int(void*)>("ncclCommDestroy");
  int (*begin)() = library.function<int()>("ncclGroupStart");
  int (*end)() = library.function<int()>("ncclGroupEnd");
  int (*all_reduce)(const void*, void*, std::size_t, int, int, void*, cudaStream_t) =
      library.function<int(const void*, void*, std::size_t, int, int, void*, cudaStream_t)>(
          "ncclAllReduce");
  int (*reduce_scatter)(const void*, void*, std::size_t, int, int, void*, cudaStream_t) =
      library.function<int(const void*, void*, std::size_t, int, int, void*, cudaStream_t)>(
          "ncclReduceScatter");
  int (*all_gather)(const void*, void*, std::size_t, int, void*, cudaStream_t) =
      library.function<int(const void*, void*, std::size_t, int, void*, cudaStream_t)>(
          "ncclAllGather");
  int (*send)(const void*, std::size_t, int, int, void*, cudaStream_t) =
      library.function<int(const void*, std::size_t, int, int, void*, cudaStream_t)>("ncclSend");
  int (*receive)(void*, std::size_t, int, int, void*, cudaStream_t) =
      library.function<int(void*, std::size_t, int, int, void*, cudaStream_t)>("ncclRecv");

  void check(int result, const char* call) const {
    if (result == 0) return;
    throw Error(ExitCode::wrong, fmt::format("{}: {}", call, words(result)));
  }
};

Nccl::Nccl() : functions_(std::make_unique<Functions>()) {}
Nccl::~Nccl() {
  for (const auto& [ranks, group] : communicators_) {
    for (void* c : group) (void)functions_->close(c);
  }
}

const std::vector<void*>& Nccl::communicators(std::int64_t ranks) {
  const auto known = communicators_.find(ranks);
  if (known != communicators_.end()) return known->second;
  std::vector<int> devices(static_cast<std::size_t>(ranks));
  std::iota(devices.begin(), devices.end(), 0);
  std::vector<void*> made(devices.size());
  functions_->check(functions_->open(made.data(), static_cast<int>(ranks), devices.data()),
                    "ncclCommInitAll");
  return communicators_[ranks] = std::move(made);
}

std::string Nccl::version() const {
  int v = 0;
  functions_->check(functions_->version(&v), "ncclGetVersion");
  return fmt::format("{}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

struct Collective::Rank {
  Rank(int number, void* its, std::int64_t in_elements, std::int64_t out_elements)
      : device(number),
        communicator(its),
        in(2 * static_cast<std::size_t>(in_elements)),
        out(2 * static_cast<std::size_t>(out_elements)) {}
  int device;
  void* communicator;
  Buffer in, out;
  CudaStream stream;
};

Collective::Collective(Nccl& library, ProbeFamily family, std::int64_t ranks, std::int64_t bytes,
                       std::uint64_t seed)
    : library_(library), family_(family) {
  const bool whole = family == ProbeFamily::all_reduce;
  part_ = std::max<std::int64_t>(1, bytes / 2 / (whole ? 1 : ranks));
  const std::int64_t all = whole ? part_ : part_ * ranks;
  const std::int64_t in = family == ProbeFamily::all_gather ? part_ : all;
  const std::int64_t out = family == ProbeFamily::reduce_scatter ? part_ : all;
  const std::vector<void*>& communicators = library.communicators(ranks);
  for (std::size_t i = 0; i < communicators.size(); ++i) {
    const OnDevice here(static_cast<int>(i));
    ranks_.push_back(std::make_unique<Rank>(static_cast<int>(i), communicators[i], in, out));
    fill_random(ranks_.back()->in.data(), Element::bf16, in, seed + i, 1,
                ranks_.back()->stream.get());
    ranks_.back()->stream.synchronise();
  }
}

Collective::~Collective() = default;

void Collective::enqueue(Rank& r, cudaStream_t stream) {
  Nccl::Functions& f = library_.functions();
  const auto count = static_cast<std::size_t>(part_);
  switch (family_) {
    case ProbeFamily::all_gather:
      return f.check(
          f.all_gather(r.in.data(), r.out.data(), count, kBfloat16, r.communicator, stream),
          "ncclAllGather");
    case ProbeFamily::reduce_scatter:
      return f.check(f.reduce_scatter(r.in.data(), r.out.data(), count, kBfloat16, kSum,
                                      r.communicator, stream),
                     "ncclReduceScatter");
    case ProbeFamily::all_to_all:
      for (std::size_t peer = 0; peer < ranks_.size(); ++peer) {
        const std::size_t at = 2 * peer * count;
        f.check(f.send(r.in.as<std::byte>() + at, count, kBfloat16, static_cast<int>(peer),
                       r.communicator, stream),
                "ncclSend");
        f.check(f.receive(r.out.as<std::byte>() + at, count, kBfloat16, static_cast<int>(peer),
                          r.communicator, stream),
                "ncclRecv");
      }
      return;
    default:
      return f.check(
          f.all_reduce(r.in.data(), r.out.data(), count, kBfloat16, kSum, r.communicator, stream),
          "ncclAllReduce");
  }
}

void Collective::run(cudaStream_t stream) {
  started_.record(stream);
  for (std::size_t i = 1; i < ranks_.size(); ++i) {
    const OnDevice here(ranks_[i]->device);
    check(cudaStreamWaitEvent(ranks_[i]->stream.get(), started_.get(), 0), "cudaStreamWaitEvent");
  }
  Nccl::Functions& f = library_.functions();
  f.check(f.begin(), "ncclGroupStart");
  Group group(f.end);
  for (const auto& r : ranks_) {
    enqueue(*r, r->device == 0 ? stream : r->stream.get());
  }
  f.check(group.end(), "ncclGroupEnd");
}

void Collective::wait() const {
  for (const auto& r : ranks_) {
    const OnDevice here(r->device);
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
}

std::vector<double> Collective::exact(std::int64_t first, std::int64_t count) const {
  const auto from = [&](std::size_t rank, std::int64_t at) {
    const OnDevice here(ranks_[rank]->device);
    return download(ranks_[rank]->in.data(), Element::bf16, at, count);
  };
  if (family_ == ProbeFamily::all_gather || family_ == ProbeFamily::all_to_all) {
    // Device 0's result is one part of every rank; of an all-to-all each rank's first.
    return from(static_cast<std::size_t>(first / part_), first % part_);
  }
  std::vector<double> sum(static_cast<std::size_t>(count));
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    const std::vector<double> part = from(r, first);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
  }
  return sum;
}

double Collective::error() const {
  const auto parts = static_cast<std::int64_t>(ranks_[0]->out.size() / 2) / part_;
  const std::int64_t count = std::min<std::int64_t>(part_, 4096);
  std::vector<double> got, right;
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t first = (p + 1) * part_ - count;
    const auto here = download(ranks_[0]->out.data(), Element::bf16, first, count);
    const auto there = exact(first, count);
    got.insert(got.end(), here.begin(), here.end());
    right.insert(right.end(), there.begin(), there.end());
  }
  return largest_error(got, right);
}

}  // namespace forerun::hw::device
