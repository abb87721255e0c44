#include "hw/probe/families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/reader.h"

namespace forerun::hw {
namespace {

using enum ProbeFamily;
using Implementation = ProbeImplementation;

constexpr std::int64_t kMostSize = std::int64_t{1} << 30;
constexpr std::int64_t kMostCount = std::int64_t{1} << 20;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;

const std::vector<ProbeArgument> kProduct = {
    {"m", 1, kMostSize}, {"n", 1, kMostSize}, {"k", 1, kMostSize}};
const std::vector<ProbeArgument> kRows = {{"rows", 1, kMostSize}, {"width", 1, kMostSize}};
const std::vector<ProbeArgument> kTokens = {
    {"tokens", 1, kMostSize}, {"width", 1, kMostSize}, {"modalities", 1, 1024}};
const std::vector<ProbeArgument> kCopy = {{"bytes", 1, kMostBytes}};
const std::vector<ProbeArgument> kCollective = {{"ranks", 2, 1024}, {"bytes", 1, kMostBytes}};

std::vector<ProbeArgument> with(std::vector<ProbeArgument> a,
                                std::initializer_list<ProbeArgument> more) {
  a.insert(a.end(), more);
  return a;
}

const std::vector<Precision> kDense = {Precision::bf16, Precision::fp16, Precision::tf32,
                                       Precision::fp8};
const std::vector<Precision> k16Bit = {Precision::bf16, Precision::fp16};
const std::vector<Precision> kBrain = {Precision::bf16};
const std::vector<ProbePass> kForward = {ProbePass::forward};
const std::vector<ProbePass> kBoth = {ProbePass::forward, ProbePass::backward};
const std::vector<ProbePass> kProducts = {ProbePass::forward, ProbePass::input_gradient,
                                          ProbePass::weight_gradient};
const std::vector<Implementation> kLt = {Implementation::cublas_lt};
const std::vector<Implementation> kOwn = {Implementation::own};
const std::vector<Implementation> kRuntime = {Implementation::runtime};
const std::vector<Implementation> kNccl = {Implementation::nccl};

std::vector<ProbeFamilyFacts> products() {
  return {{gemm, "gemm", with(kProduct, {{"accumulates", 0, 1}}), kDense, kProducts, kLt},
          {grouped_gemm,
           "grouped_gemm",
           {{"groups", 1, 4096},
            {"rows", 1, kMostSize},
            {"n", 1, kMostSize},
            {"k", 1, kMostSize},
            {"skew_percent", 0, 100}},
           k16Bit,
           kProducts,
           {Implementation::cublas_grouped, Implementation::cublas_lt_streams}},
          {modality_gemm,
           "modality_gemm",
           {{"modalities", 1, 1024},
            {"rows", 1, kMostSize},
            {"n", 1, kMostSize},
            {"k", 1, kMostSize},
            {"skew_percent", 0, 100}},
           k16Bit,
           kProducts,
           kLt},
          {attention,
           "attention",
           {{"batch", 1, kMostCount},
            {"queries", 1, kMostSize},
            {"keys", 1, kMostSize},
            {"heads", 1, kMostCount},
            {"kv_heads", 1, kMostCount},
            {"head_dim", 1, 1024},
            {"causal", 0, 1}},
           k16Bit,
           kBoth,
           {Implementation::cudnn}}};
}

std::vector<ProbeFamilyFacts> memory_bound() {
  return {
      {rms_norm, "rms_norm", kRows, kBrain, kBoth, kOwn},
      {layer_norm, "layer_norm", kRows, kBrain, kBoth, kOwn},
      {swiglu, "swiglu", kRows, kBrain, kBoth, kOwn},
      {gelu, "gelu", kRows, kBrain, kBoth, kOwn},
      {rotary,
       "rotary",
       {{"tokens", 1, kMostSize}, {"heads", 1, kMostCount}, {"head_dim", 2, 1024}},
       kBrain,
       kForward,
       kOwn},
      {cross_entropy,
       "cross_entropy",
       {{"rows", 1, kMostSize}, {"vocabulary", 2, kMostSize}},
       kBrain,
       kBoth,
       kOwn},
      {embedding, "embedding", with(kRows, {{"vocabulary", 1, kMostSize}}), kBrain, kBoth, kOwn},
      {modality_gather, "modality_gather", kTokens, kBrain, kForward, kOwn},
      {modality_scatter, "modality_scatter", kTokens, kBrain, kForward, kOwn},
      {adam, "adam", {{"elements", 1, kMostBytes}}, {Precision::fp32}, kForward, kOwn}};
}

std::vector<ProbeFamilyFacts> the_rest() {
  const auto tax = [](ProbeFamily family, std::string_view name,
                      std::vector<ProbeArgument> beside) {
    std::vector<ProbeArgument> arguments = kProduct;
    arguments.insert(arguments.end(), beside.begin(), beside.end());
    return ProbeFamilyFacts{family, name, arguments, kBrain, kForward, kLt, true};
  };
  return {{copy_device, "copy_device", kCopy, {}, kForward, kRuntime},
          {copy_to_device, "copy_to_device", kCopy, {}, kForward, kRuntime},
          {copy_from_device, "copy_from_device", kCopy, {}, kForward, kRuntime},
          {launch_stream, "launch_stream", {{"kernels", 1, kMostCount}}, {}, kForward, kRuntime},
          {launch_graph, "launch_graph", {{"kernels", 1, kMostCount}}, {}, kForward, kRuntime},
          {all_reduce, "all_reduce", kCollective, kBrain, kForward, kNccl},
          {all_gather, "all_gather", kCollective, kBrain, kForward, kNccl},
          {reduce_scatter, "reduce_scatter", kCollective, kBrain, kForward, kNccl},
          {all_to_all, "all_to_all", kCollective, kBrain, kForward, kNccl},
          tax(beside_copy, "beside_copy", kCopy),
          tax(beside_host_copy, "beside_host_copy", kCopy),
          tax(beside_all_reduce, "beside_all_reduce", kCollective)};
}

std::vector<ProbeFamilyFacts> all_families() {
  std::vector<ProbeFamilyFacts> all = products();
  for (auto part : {memory_bound(), the_rest()}) {
    for (ProbeFamilyFacts& f : part) all.push_back(std::move(f));
  }
  return all;
}

constexpr std::array kPasses = {Choice<ProbePass>{"forward", ProbePass::forward},
                                Choice<ProbePass>{"input_gradient", ProbePass::input_gradient},
                                Choice<ProbePass>{"weight_gradient", ProbePass::weight_gradient},
                                Choice<ProbePass>{"backward", ProbePass::backward}};
constexpr std::array kImplementations = {
    Choice<Implementation>{"cublas_lt", Implementation::cublas_lt},
    Choice<Implementation>{"cublas_grouped", Implementation::cublas_grouped},
    Choice<Implementation>{"cublas_lt_streams", Implementation::cublas_lt_streams},
    Choice<Implementation>{"cudnn", Implementation::cudnn},
    Choice<Implementation>{"own", Implementation::own},
    Choice<Implementation>{"runtime", Implementation::runtime},
    Choice<Implementation>{"nccl", Implementation::nccl}};

}  // namespace

std::string_view name(ProbeFamily f) { return facts(f).name; }
std::string_view name(ProbePass p) { return name_in(kPasses, p); }
std::string_view name(ProbeImplementation i) { return name_in(kImplementations, i); }
std::string_view name(ProbeMode m) { return m == ProbeMode::burst ? "burst" : "sustained"; }

std::span<const ProbeFamilyFacts> probe_families() {
  static const std::vector<ProbeFamilyFacts> table = all_families();
  return table;
}

const ProbeFamilyFacts& facts(ProbeFamily family) {
  for (const ProbeFamilyFacts& f : probe_families()) {
    if (f.family == family) return f;
  }
  FORERUN_ASSERT(false, "a family without facts");
}

std::int64_t ProbeShape::argument(std::string_view wanted) const {
  const std::vector<ProbeArgument>& names = facts(family).arguments;
  for (std::size_t i = 0; i < names.size() && i < arguments.size(); ++i) {
    if (names[i].name == wanted) return arguments[i];
  }
  FORERUN_ASSERT(false, fmt::format("{} has no argument {}", name(family), wanted));
}

std::string text(const ProbeShape& s) {
  const ProbeFamilyFacts& f = facts(s.family);
  std::string out(f.name);
  for (std::size_t i = 0; i < f.arguments.size() && i < s.arguments.size(); ++i) {
    out += fmt::format(" {}={}", f.arguments[i].name, s.arguments[i]);
  }
  if (s.precision) out += fmt::format(" {}", name(*s.precision));
  return out + fmt::format(" {} {}", name(s.pass), name(s.implementation));
}

std::vector<std::int64_t> probe_parts(std::int64_t rows, std::int64_t parts,
                                      std::int64_t skew_percent) {
  FORERUN_ASSERT(rows >= 0 && parts >= 1 && skew_percent >= 0 && skew_percent <= 100,
                 fmt::format("{} rows, {} parts, {} %", rows, parts, skew_percent));
  std::vector<std::int64_t> result;
  std::int64_t before = 0;
  double share = 0;
  for (std::int64_t i = 0; i < parts; ++i) {
    const double place =
        parts == 1 ? 0 : 1 - 2 * static_cast<double>(i) / static_cast<double>(parts - 1);
    share += (1 + static_cast<double>(skew_percent) / 100 * place) / static_cast<double>(parts);
    const auto end =
        i + 1 == parts
            ? rows
            : std::clamp<std::int64_t>(static_cast<std::int64_t>(share * static_cast<double>(rows)),
                                       before, rows);
    result.push_back(end - before);
    before = end;
  }
  return result;
}

}  // namespace forerun::hw
