#include "hw/probe/device/cudnn.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "hw/probe/device/library.h"

namespace forerun::hw::device {
namespace {

// The part of cuDNN's backend interface that is used, checked against its header in abi_check.cpp.
// Kinds of descriptors.
constexpr int kPointwiseKind = 0, kEngineConfiguration = 3, kHeuristics = 4, kExecutionPlan = 5,
              kOperationPointwise = 13, kOperationGraph = 15, kVariantPack = 16, kTensorKind = 17,
              kProductKind = 18, kOperationProduct = 19, kReductionKind = 21,
              kOperationReduction = 22, kOperationReshape = 31, kDeviceProperties = 38;
// Types of attributes.
constexpr int kHandleType = 0, kDataType = 1, kBoolean = 2, kInt64 = 3, kPointer = 6,
              kHeuristicMode = 8, kPointwiseMode = 14, kDescriptor = 15, kReductionMode = 18,
              kReordering = 20, kCharacter = 24;
constexpr std::size_t kMostPlans = 8;

void check_status(int status, const char* call) {
  if (status == 0) return;
  throw Error(ExitCode::wrong, fmt::format("{}: cuDNN status {}", call, status));
}

}  // namespace

struct Cudnn::Functions {
  Library library{std::string("libcudnn.so.9")};
  std::size_t (*version)() = library.function<std::size_t()>("cudnnGetVersion");
  int (*create)(void**) = library.function<int(void**)>("cudnnCreate");
  int (*destroy)(void*) = library.function<int(void*)>("cudnnDestroy");
  int (*set_stream)(void*,
                    cudaStream_t) = library.function<int(void*, cudaStream_t)>("cudnnSetStream");
  int (*make)(int, void**) = library.function<int(int, void**)>("cudnnBackendCreateDescriptor");
  int (*unmake)(void*) = library.function<int(void*)>("cudnnBackendDestroyDescriptor");
  int (*finalise)(void*) = library.function<int(void*)>("cudnnBackendFinalize");
  int (*set)(void*, int, int, std::int64_t, const void*) =
      library.function<int(void*, int, int, std::int64_t, const void*)>("cudnnBackendSetAttribute");
  int (*get)(const void*, int, int, std::int64_t, std::int64_t*, void*) =
      library.function<int(const void*, int, int, std::int64_t, std::int64_t*, void*)>(
          "cudnnBackendGetAttribute");
  int (*execute)(void*, void*,
                 void*) = library.function<int(void*, void*, void*)>("cudnnBackendExecute");
};

Cudnn::Cudnn() : functions_(std::make_unique<Functions>()) {}
Cudnn::~Cudnn() {
  if (handle_ != nullptr) (void)functions_->destroy(handle_);
}

void* Cudnn::handle() {
  if (handle_ == nullptr) check_status(functions_->create(&handle_), "cudnnCreate");
  return handle_;
}

std::string Cudnn::version() const {
  const std::size_t v = functions_->version();
  return fmt::format("{}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

/// One attribute of a descriptor: its number, its type, how many values, and where they are.
struct CudnnGraph::Attributes {
  template <class T>
  Attributes(int its_name, int its_type, std::int64_t how_many, const T* first)
      : name(its_name), type(its_type), count(how_many), values(static_cast<const void*>(first)) {}
  int name, type;
  std::int64_t count;
  const void* values;
};

CudnnGraph::CudnnGraph(Cudnn& library) : library_(library) {}

CudnnGraph::~CudnnGraph() {
  std::for_each(made_.rbegin(), made_.rend(),
                [&](void* d) { (void)library_.functions().unmake(d); });
}

void* CudnnGraph::make(int kind, const std::vector<Attributes>& attributes) {
  Cudnn::Functions& f = library_.functions();
  void* descriptor = nullptr;
  check_status(f.make(kind, &descriptor), "cudnnBackendCreateDescriptor");
  made_.push_back(descriptor);
  for (const Attributes& a : attributes) {
    const int status = f.set(descriptor, a.name, a.type, a.count, a.values);
    if (status == 0) continue;
    throw Error(ExitCode::wrong,
                fmt::format("cuDNN refuses attribute {}: status {}", a.name, status));
  }
  const int status = f.finalise(descriptor);
  if (status != 0) {
    throw Error(
        ExitCode::wrong,
        fmt::format("cuDNN has no descriptor of kind {} as asked: status {}", kind, status));
  }
  return descriptor;
}

TensorId CudnnGraph::add_tensor(const Extents& size, const Extents& strides, GraphType type,
                                bool is_virtual, bool by_value, bool blocked) {
  const auto id = static_cast<TensorId>(tensors_.size() + 1);
  const int data_type = static_cast<int>(type), order = blocked ? 2 : 0;
  const std::int64_t alignment = 16;
  const auto rank = static_cast<std::int64_t>(size.size());
  tensors_[id] = make(kTensorKind, {{900, kInt64, 1, &alignment},
                                    {901, kDataType, 1, &data_type},
                                    {902, kInt64, rank, size.data()},
                                    {903, kInt64, rank, strides.data()},
                                    {906, kInt64, 1, &id},
                                    {907, kBoolean, 1, &is_virtual},
                                    {908, kBoolean, 1, &by_value},
                                    {909, kReordering, 1, &order}});
  return id;
}

TensorId CudnnGraph::tensor(const Extents& size, const Extents& strides, GraphType type,
                            bool blocked) {
  return add_tensor(size, strides, type, false, false, blocked);
}
TensorId CudnnGraph::between(const Extents& size, const Extents& strides, GraphType type) {
  return add_tensor(size, strides, type, true, false, false);
}
TensorId CudnnGraph::scalar(float value) {
  const TensorId id = add_tensor({1, 1, 1, 1}, {1, 1, 1, 1}, GraphType::real32, false, true, false);
  reals_[id] = value;
  return id;
}
TensorId CudnnGraph::scalar(std::int32_t value) {
  const TensorId id =
      add_tensor({1, 1, 1, 1}, {1, 1, 1, 1}, GraphType::integer32, false, true, false);
  integers_[id] = value;
  return id;
}

void CudnnGraph::product(TensorId a, TensorId b, TensorId result) {
  const int compute = static_cast<int>(GraphType::real32);
  void* const how = make(kProductKind, {{1500, kDataType, 1, &compute}});
  void* const x = described(a);
  void* const y = described(b);
  void* const z = described(result);
  operations_.push_back(make(kOperationProduct, {{1520, kDescriptor, 1, &x},
                                                 {1521, kDescriptor, 1, &y},
                                                 {1522, kDescriptor, 1, &z},
                                                 {1523, kDescriptor, 1, &how}}));
}

void* CudnnGraph::pointwise_mode(Pointwise mode, GraphType compute, std::int64_t axis) {
  const int mode_number = static_cast<int>(mode), type = static_cast<int>(compute);
  std::vector<Attributes> attributes = {{0, kPointwiseMode, 1, &mode_number},
                                        {1, kDataType, 1, &type}};
  if (mode == Pointwise::index) attributes.push_back({9, kInt64, 1, &axis});
  return make(kPointwiseKind, attributes);
}

void CudnnGraph::pointwise(Pointwise mode, TensorId x, TensorId result, GraphType compute) {
  void* const how = pointwise_mode(mode, compute, 0);
  void* const from = described(x);
  void* const to = described(result);
  operations_.push_back(make(
      kOperationPointwise,
      {{750, kDescriptor, 1, &how}, {751, kDescriptor, 1, &from}, {753, kDescriptor, 1, &to}}));
}

void CudnnGraph::pointwise(Pointwise mode, TensorId x, TensorId b, TensorId result,
                           GraphType compute) {
  void* const how = pointwise_mode(mode, compute, 0);
  void* const from = described(x);
  void* const other = described(b);
  void* const to = described(result);
  operations_.push_back(make(kOperationPointwise, {{750, kDescriptor, 1, &how},
                                                   {751, kDescriptor, 1, &from},
                                                   {752, kDescriptor, 1, &other},
                                                   {753, kDescriptor, 1, &to}}));
}

void CudnnGraph::select(TensorId x, TensorId otherwise, TensorId mask, TensorId result) {
  void* const how = pointwise_mode(Pointwise::select, GraphType::real32, 0);
  void* const from = described(x);
  void* const other = described(otherwise);
  void* const which = described(mask);
  void* const to = described(result);
  operations_.push_back(make(kOperationPointwise, {{750, kDescriptor, 1, &how},
                                                   {751, kDescriptor, 1, &from},
                                                   {752, kDescriptor, 1, &other},
                                                   {758, kDescriptor, 1, &which},
                                                   {753, kDescriptor, 1, &to}}));
}

void CudnnGraph::index(int axis, TensorId like, TensorId result) {
  void* const how = pointwise_mode(Pointwise::index, GraphType::integer32, axis);
  void* const from = described(like);
  void* const to = described(result);
  operations_.push_back(make(
      kOperationPointwise,
      {{750, kDescriptor, 1, &how}, {751, kDescriptor, 1, &from}, {753, kDescriptor, 1, &to}}));
}

void CudnnGraph::reduce(Reduction mode, TensorId x, TensorId result) {
  const int mode_number = static_cast<int>(mode), type = static_cast<int>(GraphType::real32);
  void* const how =
      make(kReductionKind, {{1600, kReductionMode, 1, &mode_number}, {1601, kDataType, 1, &type}});
  void* const from = described(x);
  void* const to = described(result);
  operations_.push_back(make(
      kOperationReduction,
      {{1610, kDescriptor, 1, &from}, {1611, kDescriptor, 1, &to}, {1612, kDescriptor, 1, &how}}));
}

void CudnnGraph::reshape(TensorId x, TensorId result) {
  void* const from = described(x);
  void* const to = described(result);
  operations_.push_back(
      make(kOperationReshape, {{2200, kDescriptor, 1, &from}, {2201, kDescriptor, 1, &to}}));
}

std::vector<void*> CudnnGraph::configurations(void* described) {
  Cudnn::Functions& f = library_.functions();
  const auto operations = static_cast<std::int64_t>(operations_.size());
  std::vector<Attributes> of_graph = {{801, kDescriptor, operations, operations_.data()}};
  void* const handle = described == nullptr ? library_.handle() : nullptr;
  if (described == nullptr) of_graph.push_back({800, kHandleType, 1, &handle});
  void* const graph = make(kOperationGraph, of_graph);
  const int mode = 3;  // heuristics A
  std::vector<Attributes> of_heuristics = {{200, kHeuristicMode, 1, &mode},
                                           {201, kDescriptor, 1, &graph}};
  if (described != nullptr) of_heuristics.push_back({204, kDescriptor, 1, &described});
  void* const heuristics = make(kHeuristics, of_heuristics);
  std::vector<void*> found(kMostPlans);
  for (void*& c : found) {
    check_status(f.make(kEngineConfiguration, &c), "cudnnBackendCreateDescriptor");
    made_.push_back(c);
  }
  std::int64_t count = 0;
  check_status(f.get(heuristics, 202, kDescriptor, static_cast<std::int64_t>(kMostPlans), &count,
                     static_cast<void*>(found.data())),
               "cudnnBackendGetAttribute");
  found.resize(std::min(kMostPlans, static_cast<std::size_t>(count)));
  return found;
}

void CudnnGraph::plan() {
  void* const handle = library_.handle();
  std::string reason = "no engine";
  for (void* const& configuration : configurations(nullptr)) {
    try {
      plan_ = make(kExecutionPlan,
                   {{400, kHandleType, 1, &handle}, {401, kDescriptor, 1, &configuration}});
      break;
    } catch (const Error& e) {
      reason = e.what();
    }
  }
  if (plan_ == nullptr) {
    throw Error(ExitCode::wrong, fmt::format("cuDNN has no plan for this attention: {}", reason));
  }
  std::int64_t count = 0;
  check_status(library_.functions().get(plan_, 402, kInt64, 1, &count, &workspace_bytes_),
               "cudnnBackendGetAttribute");
}

std::size_t CudnnGraph::ways_on(const std::string& device_properties) {
  const std::string& text = device_properties;
  const auto size = static_cast<std::int64_t>(text.size());
  return configurations(make(kDeviceProperties, {{2702, kCharacter, size, text.data()}})).size();
}

void CudnnGraph::run(const std::map<TensorId, void*>& addresses, void* workspace,
                     cudaStream_t stream) const {
  Cudnn::Functions& f = library_.functions();
  std::vector<std::int64_t> ids;
  std::vector<const void*> pointers;
  for (const auto& [id, at] : addresses) ids.push_back(id), pointers.push_back(at);
  for (const auto& [id, value] : reals_) ids.push_back(id), pointers.push_back(&value);
  for (const auto& [id, value] : integers_) ids.push_back(id), pointers.push_back(&value);
  const auto count = static_cast<std::int64_t>(ids.size());
  void* pack = nullptr;
  check_status(f.make(kVariantPack, &pack), "cudnnBackendCreateDescriptor");
  int status = f.set(pack, 1000, kInt64, count, ids.data());
  if (status == 0)
    status = f.set(pack, 1001, kPointer, count, static_cast<const void*>(pointers.data()));
  if (status == 0) status = f.set(pack, 1003, kPointer, 1, static_cast<const void*>(&workspace));
  if (status == 0) status = f.finalise(pack);
  if (status == 0) status = f.set_stream(library_.handle(), stream);
  if (status == 0) status = f.execute(library_.handle(), plan_, pack);
  (void)f.unmake(pack);
  check_status(status, "cudnnBackendExecute");
}

}  // namespace forerun::hw::device
