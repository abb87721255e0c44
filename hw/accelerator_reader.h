#pragma once

/// How the files of a profile's reader share their work: names of formats and kernels in files, and
/// numbers with evidence and source. Of hw/accelerator.cpp and hw/accelerator_surfaces.cpp alone.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/evidence.h"
#include "core/reader.h"
#include "hw/accelerator.h"

namespace forerun::hw {

inline constexpr std::array<Choice<Precision>, 8> kPrecisionChoices = {{
    {"fp32", Precision::fp32},
    {"tf32", Precision::tf32},
    {"bf16", Precision::bf16},
    {"fp16", Precision::fp16},
    {"fp8", Precision::fp8},
    {"mxfp8", Precision::mxfp8},
    {"nvfp4", Precision::nvfp4},
    {"fp8_block", Precision::fp8_block},
}};

inline constexpr std::array<Choice<AttentionKernel>, 4> kAttentionKernelChoices = {{
    {"flash2", AttentionKernel::flash2},
    {"flash3", AttentionKernel::flash3},
    {"cudnn", AttentionKernel::cudnn},
    {"triton", AttentionKernel::triton},
}};

/// The keys of an object that are names of `choices`; others are reported.
template <class E, std::size_t N>
std::vector<std::pair<std::string, E>> keys_of_choices(Reader& object,
                                                       const std::array<Choice<E>, N>& choices) {
  std::vector<std::string_view> names;
  for (const auto& c : choices) names.push_back(c.first);
  std::vector<std::pair<std::string, E>> found;
  for (const std::string& key : object.keys()) {
    const auto at = std::ranges::find(names, std::string_view(key));
    if (at != names.end()) {
      found.emplace_back(key, choices[static_cast<std::size_t>(at - names.begin())].second);
      continue;
    }
    const std::string near = nearest(key, names);
    object.problem(key, fmt::format("unknown name, expected one of {}{}", fmt::join(names, ", "),
                                    near.empty() ? "" : "; did you mean " + near + "?"));
  }
  return found;
}

/// Reads `{"value": ..., "evidence": ..., "source": ...}` entries of an object and notes in the
/// accelerator where each came from, as PREFIX + key.
class AcceleratorFacts {
 public:
  AcceleratorFacts(Reader reader, Accelerator& accelerator, std::string prefix)
      : reader_(std::move(reader)), accelerator_(accelerator), prefix_(std::move(prefix)) {}

  template <class Read>
  auto read(const std::string& key, Read value) {
    Reader entry = reader_.object(key);
    auto result = value(entry);
    note(key, entry);
    entry.finish();
    return result;
  }
  double number(const std::string& key, double least, double most) {
    return read(key, [&](Reader& r) { return r.number("value", least, most); });
  }
  void note(const std::string& key, Reader& entry) {
    accelerator_.evidence[prefix_ + key] = entry.evidence("evidence");
    accelerator_.source[prefix_ + key] = entry.text("source");
  }
  [[nodiscard]] Evidence evidence(const std::string& key) const {
    return accelerator_.evidence.at(prefix_ + key);
  }
  Reader& reader() { return reader_; }

 private:
  Reader reader_;
  Accelerator& accelerator_;
  std::string prefix_;
};

/// Reads "gemm" and "attention" of a profile whose other numbers are read: each entry names a
/// surface file and a rate relative to it, or the rate that a roofline reaches.
void read_kernel_surfaces(Reader& top, Accelerator& a);

}  // namespace forerun::hw
