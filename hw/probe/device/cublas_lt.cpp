#include "hw/probe/device/cublas_lt.h"

#include <fmt/format.h>
#include <library_types.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <vector>

#include "core/error.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/library.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

// The part of cublasLt's C interface that is used, checked against its header in abi_check.cpp.
constexpr int kCompute32 = 68, kComputeTf32 = 77;
constexpr int kTransposeA = 3, kTransposeB = 4, kFastAccumulation = 25;
constexpr int kMostWorkspace = 1;
constexpr std::size_t kAlgorithms = 8;

struct Algorithm {
  std::array<std::uint64_t, 8> data;
};
struct Heuristic {
  Algorithm algorithm;
  std::size_t workspace;
  int status;
  float waves;
  std::array<int, 4> reserved;
};

void check_status(int status, const char* call) {
  if (status == 0) return;
  throw Error(ExitCode::wrong, fmt::format("{}: cuBLAS status {}", call, status));
}

cudaDataType_t cuda_type(Element e) {
  switch (e) {
    case Element::bf16:
      return CUDA_R_16BF;
    case Element::fp16:
      return CUDA_R_16F;
    case Element::fp32:
      return CUDA_R_32F;
    case Element::e4m3:
      return CUDA_R_8F_E4M3;
    case Element::int32:
      return CUDA_R_32I;
  }
  return CUDA_R_32F;
}

/// How an operand's rows (of m or n) and its columns (of k) lie: element strides.
struct Strides {
  std::int64_t row, column;
};

/// 8-bit operands lie with k contiguous in all passes.
Strides left_strides(const ProductShape& s) {
  const bool by_k = s.precision == Precision::fp8 || s.pass != ProbePass::weight_gradient;
  return by_k ? Strides{s.k, 1} : Strides{1, s.m};
}
Strides right_strides(const ProductShape& s) {
  const bool by_k = s.precision == Precision::fp8 || s.pass == ProbePass::forward;
  return by_k ? Strides{s.k, 1} : Strides{1, s.n};
}

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// Times calls on the device, warm. Flushes before the first event keep the device busy while the
/// host enqueues the calls, so that its time does not lie between the events.
class Stopwatch {
 public:
  Stopwatch(const Buffer& scratch, cudaStream_t stream) : scratch_(scratch), stream_(stream) {
    flush(1);
    begin_.record(stream_);
    flush(4);
    end_.record(stream_);
    flush_seconds_ = std::max(1e-6, CudaEvent::seconds(begin_, end_) / 4);
  }

  /// Seconds of one call.
  template <class Call>
  [[nodiscard]] double of(const Call& call) const {
    call();  // the first one is slow
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    begin_.record(stream_);
    const double start = now();
    call();
    const double enqueuing = now() - start;
    end_.record(stream_);
    const double once = std::max(1e-6, CudaEvent::seconds(begin_, end_));
    const int calls = static_cast<int>(std::clamp(std::ceil(kTimed / once), kFewest, kMost));
    flush(1 + static_cast<int>(std::ceil(3 * enqueuing * calls / flush_seconds_)));
    begin_.record(stream_);
    for (int i = 0; i < calls; ++i) call();
    end_.record(stream_);
    return CudaEvent::seconds(begin_, end_) / calls;
  }

 private:
  static constexpr double kTimed = 1e-3;  // seconds on the device
  static constexpr double kFewest = 2, kMost = 100;

  void flush(int times) const {
    for (int i = 0; i < times; ++i) flush_caches(scratch_.data(), scratch_.size(), stream_);
  }

  const Buffer& scratch_;
  cudaStream_t stream_;
  CudaEvent begin_, end_;
  double flush_seconds_ = 0;
};

/// Downloads elements that may lie apart: they are then brought together on the device, since a
/// copy of each is slow.
class Downloads {
 public:
  Downloads(std::int64_t most, Element e)
      : element_(e), together_(static_cast<std::size_t>(most) * size_of(e)) {}
  [[nodiscard]] std::vector<double> operator()(const void* base, std::int64_t first,
                                               std::int64_t count, std::int64_t stride) const {
    if (stride == 1) return download(base, element_, first, count);
    gather_elements(base, element_, first, stride, together_.data(), count, stream_.get());
    stream_.synchronise();
    return download(together_.data(), element_, 0, count);
  }

 private:
  Element element_;
  Buffer together_;
  CudaStream stream_;
};

}  // namespace

struct CublasLt::Functions {
  Library library{std::vector<std::string>{"libcublasLt.so.13", "libcublasLt.so.12"}};
  int (*create)(void**) = library.function<int(void**)>("cublasLtCreate");
  int (*destroy)(void*) = library.function<int(void*)>("cublasLtDestroy");
  std::size_t (*version)() = library.function<std::size_t()>("cublasLtGetVersion");
  int (*descriptor)(void**, int,
                    int) = library.function<int(void**, int, int)>("cublasLtMatmulDescCreate");
  int (*destroy_descriptor)(void*) = library.function<int(void*)>("cublasLtMatmulDescDestroy");
  int (*set)(void*, int, const void*, std::size_t) =
      library.function<int(void*, int, const void*, std::size_t)>("cublasLtMatmulDescSetAttribute");
  int (*layout)(void**, int, std::uint64_t, std::uint64_t, std::int64_t) =
      library.function<int(void**, int, std::uint64_t, std::uint64_t, std::int64_t)>(
          "cublasLtMatrixLayoutCreate");
  int (*destroy_layout)(void*) = library.function<int(void*)>("cublasLtMatrixLayoutDestroy");
  int (*preference)(void**) = library.function<int(void**)>("cublasLtMatmulPreferenceCreate");
  int (*destroy_preference)(void*) =
      library.function<int(void*)>("cublasLtMatmulPreferenceDestroy");
  int (*set_preference)(void*, int, const void*, std::size_t) =
      library.function<int(void*, int, const void*, std::size_t)>(
          "cublasLtMatmulPreferenceSetAttribute");
  int (*heuristic)(void*, void*, void*, void*, void*, void*, void*, int, Heuristic*, int*) =
      library.function<int(void*, void*, void*, void*, void*, void*, void*, int, Heuristic*, int*)>(
          "cublasLtMatmulAlgoGetHeuristic");
  int (*matmul)(void*, void*, const void*, const void*, void*, const void*, void*, const void*,
                const void*, void*, void*, void*, const Algorithm*, void*, std::size_t,
                cudaStream_t) =
      library.function<int(void*, void*, const void*, const void*, void*, const void*, void*,
                           const void*, const void*, void*, void*, void*, const Algorithm*, void*,
                           std::size_t, cudaStream_t)>("cublasLtMatmul");
};

CublasLt::CublasLt() : functions_(std::make_unique<Functions>()) {
  check_status(functions_->create(&handle_), "cublasLtCreate");
}
CublasLt::~CublasLt() { (void)functions_->destroy(handle_); }

std::string CublasLt::version() const {
  const std::size_t v = functions_->version();
  return fmt::format("{}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

struct Product::Plan {
  explicit Plan(CublasLt::Functions& f) : functions(f) {}
  ~Plan() {
    for (void* l : {a, b, c}) {
      if (l != nullptr) (void)functions.destroy_layout(l);
    }
    if (descriptor != nullptr) (void)functions.destroy_descriptor(descriptor);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  CublasLt::Functions& functions;
  void* descriptor = nullptr;
  void* a =
      nullptr;  // in the library's terms: ours is its transpose, so its A is our right operand
  void* b = nullptr;
  void* c = nullptr;
  std::vector<Algorithm> algorithms;
  std::size_t chosen = 0;
};

// The library's matrices are by columns. A matrix by rows is its transpose by columns, so
// result[m,n] by rows = left right^T is, for the library, result^T[n,m] = right left^T.
Product::Product(CublasLt& library, const ProductShape& s)
    : library_(library), shape_(s), plan_(std::make_unique<Plan>(*library.functions_)) {
  CublasLt::Functions& f = *library.functions_;
  const cudaDataType_t in = cuda_type(input_element(s.precision));
  const cudaDataType_t out = cuda_type(result_element(s));
  check_status(f.descriptor(&plan_->descriptor,
                            s.precision == Precision::tf32 ? kComputeTf32 : kCompute32, CUDA_R_32F),
               "cublasLtMatmulDescCreate");
  const bool right_by_k = right_strides(s).column == 1, left_by_k = left_strides(s).column == 1;
  const int transpose_a = right_by_k ? 1 : 0, transpose_b = left_by_k ? 0 : 1;
  check_status(f.set(plan_->descriptor, kTransposeA, &transpose_a, sizeof transpose_a),
               "transpose");
  check_status(f.set(plan_->descriptor, kTransposeB, &transpose_b, sizeof transpose_b),
               "transpose");
  if (s.precision == Precision::fp8) {
    const std::int8_t fast = s.pass == ProbePass::forward ? 1 : 0;
    check_status(f.set(plan_->descriptor, kFastAccumulation, &fast, sizeof fast), "accumulation");
  }
  const auto m = static_cast<std::uint64_t>(s.m), n = static_cast<std::uint64_t>(s.n),
             k = static_cast<std::uint64_t>(s.k);
  check_status(right_by_k ? f.layout(&plan_->a, in, k, n, s.k) : f.layout(&plan_->a, in, n, k, s.n),
               "cublasLtMatrixLayoutCreate");
  check_status(left_by_k ? f.layout(&plan_->b, in, k, m, s.k) : f.layout(&plan_->b, in, m, k, s.m),
               "cublasLtMatrixLayoutCreate");
  check_status(f.layout(&plan_->c, out, n, m, s.n), "cublasLtMatrixLayoutCreate");

  void* preference = nullptr;
  check_status(f.preference(&preference), "cublasLtMatmulPreferenceCreate");
  std::array<Heuristic, kAlgorithms> found{};
  int count = 0;
  int status =
      f.set_preference(preference, kMostWorkspace, &kWorkspaceBytes, sizeof kWorkspaceBytes);
  if (status == 0) {
    status = f.heuristic(library.handle_, plan_->descriptor, plan_->a, plan_->b, plan_->c, plan_->c,
                         preference, static_cast<int>(found.size()), found.data(), &count);
  }
  (void)f.destroy_preference(preference);
  for (const Heuristic& h : found) {
    if (status == 0 && count-- > 0 && h.status == 0) plan_->algorithms.push_back(h.algorithm);
  }
  if (plan_->algorithms.empty()) {
    throw Error(ExitCode::wrong, fmt::format("cuBLASLt has no algorithm (status {})", status));
  }
}

Product::~Product() = default;

void Product::run(std::size_t algorithm, const void* left, const void* right, void* result,
                  const Buffer& workspace, cudaStream_t stream) const {
  constexpr float kOne = 1, kZero = 0;
  const float* beta = shape_.accumulates ? &kOne : &kZero;
  check_status(plan_->functions.matmul(library_.handle_, plan_->descriptor, &kOne, right, plan_->a,
                                       left, plan_->b, beta, result, plan_->c, result, plan_->c,
                                       &plan_->algorithms.at(algorithm), workspace.data(),
                                       workspace.size(), stream),
               "cublasLtMatmul");
}

void Product::run(const void* left, const void* right, void* result, const Buffer& workspace,
                  cudaStream_t stream) const {
  run(plan_->chosen, left, right, result, workspace, stream);
}

void Product::choose(const void* left, const void* right, void* result, const Buffer& workspace,
                     cudaStream_t stream) {
  const Stopwatch watch(workspace, stream);
  std::optional<double> best;
  std::string reason;
  for (std::size_t i = 0; i < plan_->algorithms.size(); ++i) {
    try {
      const double took = watch.of([&] { run(i, left, right, result, workspace, stream); });
      if (best && took >= *best) continue;
      best = took;
      plan_->chosen = i;
    } catch (const Error& e) {
      reason = e.what();
      (void)cudaGetLastError();
    }
  }
  if (!best) {
    throw Error(ExitCode::wrong, fmt::format("none of cuBLASLt's algorithms runs: {}", reason));
  }
}

Element result_element(const ProductShape& s) {
  return s.accumulates ? Element::fp32 : result_element(s.precision);
}

double product_error(const ProductShape& s, const void* left, const void* right,
                     const void* result) {
  constexpr std::int64_t kSampled = 16;
  const Strides l = left_strides(s), r = right_strides(s);
  const Downloads inputs(s.k, input_element(s.precision));
  std::vector<std::vector<double>> columns;
  const std::int64_t across = std::min(s.n, kSampled), down = std::min(s.m, kSampled);
  const auto spread = [](std::int64_t i, std::int64_t count, std::int64_t size) {
    return count == 1 ? 0 : i * (size - 1) / (count - 1);  // both ends and between
  };
  for (std::int64_t j = 0; j < across; ++j) {
    columns.push_back(inputs(right, spread(j, across, s.n) * r.row, s.k, r.column));
  }
  std::vector<double> got, exact;
  for (std::int64_t i = 0; i < down; ++i) {
    const std::int64_t row = spread(i, down, s.m);
    const std::vector<double> a = inputs(left, row * l.row, s.k, l.column);
    for (std::int64_t j = 0; j < across; ++j) {
      const std::vector<double>& b = columns[static_cast<std::size_t>(j)];
      double sum = 0;
      for (std::size_t x = 0; x < a.size(); ++x) sum += a[x] * b[x];
      exact.push_back(sum);
      const std::int64_t at = row * s.n + spread(j, across, s.n);
      got.push_back(download(result, result_element(s), at, 1).front());
    }
  }
  return largest_error(got, exact);
}

}  // namespace forerun::hw::device
