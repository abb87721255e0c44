#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/statistics.h"
#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"
#include "hw/logs/nccl_rows.h"

namespace forerun::hw {
namespace {

using Json = nlohmann::json;
using Sizes = std::vector<std::int64_t>;

/// Deeper than any trace; what nests deeper is no trace.
constexpr int kMostDepth = 32;
/// Copies below this many bytes are bound by latency.
constexpr double kLargeCopy = 64.0 * (1 << 20);

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}
std::string text_at(const Json& object, const char* key) {
  const Json* v = find(object, key);
  return v != nullptr && v->is_string() ? v->get<std::string>() : std::string{};
}
/// A number, or one written as a string, as some versions do.
std::optional<double> number_at(const Json& object, const char* key) {
  const Json* v = find(object, key);
  if (v == nullptr) return std::nullopt;
  if (v->is_number()) return v->get<double>();
  return v->is_string() ? number_in(v->get<std::string>()) : std::nullopt;
}
std::optional<std::int64_t> integer_at(const Json& object, const char* key) {
  const auto v = number_at(object, key);
  // Exact as a double, so that an id is never another's.
  if (!v || *v < 0 || *v > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(*v);
}

/// The sizes of an operator's argument; empty where they were not recorded.
Sizes sizes_at(const Json& args, std::size_t argument) {
  const Json* dims = find(args, "Input Dims");
  Sizes out;
  if (dims == nullptr || !dims->is_array() || argument >= dims->size()) return out;
  for (const Json& d : (*dims)[argument]) {
    if (!d.is_number_integer() || d.get<std::int64_t>() < 1 ||
        d.get<std::int64_t>() > (std::int64_t{1} << 40)) {
      return {};
    }
    out.push_back(d.get<std::int64_t>());
  }
  return out;
}
std::string item_at(const Json& args, const char* list, std::size_t i) {
  const Json* items = find(args, list);
  if (items == nullptr || !items->is_array() || i >= items->size()) return {};
  return (*items)[i].is_string() ? (*items)[i].get<std::string>() : std::string{};
}

constexpr std::array<std::pair<std::string_view, Precision>, 4> kTypes = {{
    {"c10::BFloat16", Precision::bf16},
    {"c10::Half", Precision::fp16},
    {"c10::Float8_e4m3fn", Precision::fp8},
    {"c10::Float8_e5m2", Precision::fp8},
}};
std::optional<Precision> precision_of(const Json& args, std::size_t argument) {
  const std::string type = item_at(args, "Input type", argument);
  const auto at = std::ranges::find(kTypes, type, &std::pair<std::string_view, Precision>::first);
  return at == kTypes.end() ? std::nullopt : std::optional(at->second);
}

/// Operators that are one product: which argument is A; B is the next.
struct ProductOp {
  std::string_view name;
  std::size_t a;
  std::size_t rank;  ///< of both operands
};
constexpr std::array kProducts = {ProductOp{"aten::mm", 0, 2}, ProductOp{"aten::addmm", 1, 2},
                                  ProductOp{"aten::bmm", 0, 3},
                                  ProductOp{"aten::_scaled_mm", 0, 2}};

/// FlashAttention-2 as PyTorch calls it: which argument is Q (K is next), which says causal.
struct AttentionOp {
  std::string_view name;
  Pass pass;
  std::size_t q, causal;
};
constexpr std::array kAttentions = {
    AttentionOp{"aten::_flash_attention_forward", Pass::forward, 0, 8},
    AttentionOp{"aten::_flash_attention_backward", Pass::backward, 1, 11}};

constexpr std::array<std::pair<std::string_view, int>, 10> kElementBytes = {{{"Float", 4},
                                                                             {"BFloat16", 2},
                                                                             {"Half", 2},
                                                                             {"Double", 8},
                                                                             {"Int", 4},
                                                                             {"Long", 8},
                                                                             {"Byte", 1},
                                                                             {"Char", 1},
                                                                             {"Float8_e4m3fn", 1},
                                                                             {"Float8_e5m2", 1}}};

/// Whether "[8, 9, 10, 11]" are neighbours; a list that is shortened or missing is taken for such.
bool neighbours(const std::string& list) {
  std::int64_t last = -1;  // none
  std::string word;
  for (const char c : list + ",") {
    if (c >= '0' && c <= '9') {
      word += c;
    } else if (!word.empty()) {
      const std::int64_t rank = integer_in(word).value_or(-1);
      if (rank >= 0 && last >= 0 && rank != last + 1) return false;
      last = rank;
      word.clear();
    } else if (c == '.') {
      last = -1;
    }
  }
  return true;
}

class TraceReader {
 public:
  TraceReader(const std::string& file, Problems& problems) : problems_(problems) {
    log_.tool = LogTool::kineto;
    log_.file = file;
  }

  ToolLog read(std::string_view text) {
    bool too_deep = false;
    // Each event is looked at when it ends and dropped at once, so memory does not grow with them.
    const auto take = [&](int depth, Json::parse_event_t event, Json& parsed) {
      too_deep = too_deep || depth > kMostDepth;
      if (event != Json::parse_event_t::object_end || depth != 2) return true;
      if (parsed.contains("numSms")) device(parsed);
      if (parsed.contains("ph")) this->event(parsed);
      return false;
    };
    const Json rest = Json::parse(text.begin(), text.end(), take, false);
    if (rest.is_discarded()) {
      problems_.add(log_.file, "the trace is not whole JSON: cut off, or not written by PyTorch");
      return std::move(log_);
    }
    if (too_deep) problems_.add(log_.file, fmt::format("nested deeper than {} levels", kMostDepth));
    finish();
    return std::move(log_);
  }

 private:
  using CollectiveKey = std::tuple<CollectiveKind, std::int64_t, double>;

  LogPlace place() const { return {log_.file, fmt::format("/traceEvents/{}", events_)}; }

  void device(const Json& d) {
    if (!log_.device.empty()) return;
    log_.device = shown_word(text_at(d, "name"));
    log_.multiprocessors = integer_at(d, "numSms");
  }

  void event(const Json& e) {
    const std::string category = text_at(e, "cat");
    static const Json kNone = Json::object();
    const Json* found = find(e, "args");
    const Json& args = found != nullptr ? *found : kNone;
    if (category == "cpu_op") {
      operation(text_at(e, "name"), args);
    } else if (category == "kernel" || category == "gpu_memcpy") {
      const auto us = number_at(e, "dur");
      if (!us || *us < 0 || *us > 1e12) {
        problems_.add(text(place()), fmt::format("{}: expected a duration of at least zero us",
                                                 shown_word(text_at(e, "name"))));
      } else if (category == "kernel") {
        kernel(args, *us);
      } else {
        copy(text_at(e, "name"), args, *us);
      }
    }
    ++events_;
  }

  void operation(const std::string& name, const Json& args) {
    const auto id = integer_at(args, "External id");
    if (!id) return;
    for (const ProductOp& op : kProducts) {
      if (name == op.name) product(op, args, *id);
    }
    for (const AttentionOp& op : kAttentions) {
      if (name == op.name) attention(op, args, *id);
    }
  }

  void product(const ProductOp& op, const Json& args, std::int64_t id) {
    const Sizes a = sizes_at(args, op.a), b = sizes_at(args, op.a + 1);
    if (a.empty() || b.empty()) {
      ++shapeless_;
      return;
    }
    const auto precision = precision_of(args, op.a);
    if (!precision) {
      ++unknown_type_;
      return;
    }
    const bool whole = a.size() == op.rank && b.size() == op.rank;
    if (!whole || a.back() != b[op.rank - 2] || (op.rank == 3 && a[0] != b[0])) {
      problems_.add(text(place()),
                    fmt::format("{}: the sizes of its operands do not go together", op.name));
      return;
    }
    Gemm g;
    g.batch = op.rank == 3 ? a[0] : 1;
    g.m = a[op.rank - 2];
    g.k = a.back();
    g.n = b.back();
    g.precision = *precision;
    products_.emplace(id, std::pair(g, place()));
  }

  void attention(const AttentionOp& op, const Json& args, std::int64_t id) {
    const Sizes q = sizes_at(args, op.q), k = sizes_at(args, op.q + 1);
    const auto precision = precision_of(args, op.q);
    const std::string causal = item_at(args, "Concrete Inputs", op.causal);
    if (q.size() != 4 || k.size() != 4 || !precision || (causal != "True" && causal != "False")) {
      ++shapeless_;
      return;
    }
    TimedAttention t;
    t.attention.pass = op.pass;
    t.attention.batch = q[0];
    t.attention.queries = q[1];
    t.attention.keys = k[1];
    t.attention.heads = q[2];
    t.attention.kv_heads = k[2];
    t.attention.head_dim = q[3];
    t.attention.causal = causal == "True";
    t.precision = *precision;
    t.place = place();
    attentions_.emplace(id, t);
  }

  void kernel(const Json& args, double us) {
    if (!text_at(args, "Collective name").empty()) {
      collective(args, us);
    } else if (const auto id = integer_at(args, "External id")) {
      kernel_us_[*id] += us;
    }
  }

  void collective(const Json& args, double us) {
    const auto kind = collective_told(text_at(args, "Collective name"));
    const auto ranks = integer_at(args, "Group size");
    const bool gathers = kind == CollectiveKind::all_gather;
    const auto elements = number_at(args, gathers ? "Out msg nelems" : "In msg nelems");
    const auto type = std::ranges::find(kElementBytes, text_at(args, "dtype"),
                                        &std::pair<std::string_view, int>::first);
    const std::string split = text_at(args, "In split size");
    if (!kind || !ranks || *ranks < 2 || !elements || *elements <= 0 ||
        type == kElementBytes.end() || us <= 0 || (!split.empty() && split != "[]")) {
      ++unsized_;
      return;
    }
    if (!neighbours(text_at(args, "Process Group Ranks"))) {
      ++scattered_;
      return;
    }
    const CollectiveKey key{*kind, *ranks, *elements * type->second};
    const auto [at, added] = collectives_.emplace(key, std::pair(us, place()));
    if (!added && us < at->second.first) at->second = {us, place()};
  }

  void copy(const std::string& name, const Json& args, double us) {
    const auto bytes = number_at(args, "bytes");
    if (!bytes || *bytes < kLargeCopy || us <= 0) return;
    CopyPath path = CopyPath::local;
    if (contains_word(name, "PtoP")) {
      path = CopyPath::peer;
    } else if (contains_word(name, "HtoD")) {
      path = CopyPath::host_to_device;
    } else if (contains_word(name, "DtoH")) {
      path = CopyPath::device_to_host;
    } else if (!contains_word(name, "DtoD")) {
      return;
    }
    const TimedCopy c{path, Bytes(*bytes) / Seconds(us * 1e-6), Bytes(*bytes), place()};
    const auto [at, added] = copies_.emplace(path, c);
    if (!added && c.rate > at->second.rate) at->second = c;
  }

  void finish() {
    std::map<Gemm, std::pair<std::vector<double>, LogPlace>> by_product;
    for (const auto& [id, entry] : products_) {
      const auto us = kernel_us_.find(id);
      if (us == kernel_us_.end() || us->second <= 0) continue;
      const auto at =
          by_product.try_emplace(entry.first, std::vector<double>{}, entry.second).first;
      at->second.first.push_back(us->second);
    }
    for (const auto& [gemm, group] : by_product) {
      log_.gemms.push_back({gemm, Seconds(median(group.first) * 1e-6), false, group.second});
    }
    std::map<std::pair<Attention, Precision>, std::pair<std::vector<double>, LogPlace>> by_shape;
    for (const auto& [id, t] : attentions_) {
      const auto us = kernel_us_.find(id);
      if (us == kernel_us_.end() || us->second <= 0) continue;
      const auto at =
          by_shape.try_emplace({t.attention, t.precision}, std::vector<double>{}, t.place).first;
      at->second.first.push_back(us->second);
    }
    for (const auto& [shape, group] : by_shape) {
      log_.attentions.push_back(
          {shape.first, shape.second, Seconds(median(group.first) * 1e-6), group.second});
    }
    for (const auto& [key, value] : collectives_) {
      log_.collectives.push_back({std::get<0>(key), std::get<1>(key), Bytes(std::get<2>(key)),
                                  Seconds(value.first * 1e-6), value.second});
    }
    for (const auto& entry : copies_) log_.copies.push_back(entry.second);
    notes();
  }

  void notes() {
    const auto say = [&](std::size_t count, const char* what) {
      if (count > 0) log_.notes.push_back(fmt::format("{} {}", count, what));
    };
    say(shapeless_, "operators without recorded shapes (record_shapes=True) left out");
    say(unknown_type_, "products of formats left out that do not tell how they are computed");
    say(unsized_, "collectives without size, group or even split left out");
    say(scattered_, "collectives left out whose ranks are no neighbours");
    if (log_.measurements() > 0) {
      log_.notes.emplace_back(
          "times of a running job: kernels may have shared the device with others");
    }
  }

  Problems& problems_;
  ToolLog log_;
  std::int64_t events_ = 0;
  // Ordered by operator, so that the first place of a shape is the first in the trace.
  std::map<std::int64_t, std::pair<Gemm, LogPlace>> products_;
  std::map<std::int64_t, TimedAttention> attentions_;
  std::unordered_map<std::int64_t, double> kernel_us_;
  std::map<CollectiveKey, std::pair<double, LogPlace>> collectives_;
  std::map<CopyPath, TimedCopy> copies_;
  std::size_t shapeless_ = 0, unknown_type_ = 0, unsized_ = 0, scattered_ = 0;
};

}  // namespace

ToolLog read_kineto(std::string_view text, const std::string& file, Problems& problems) {
  return TraceReader(file, problems).read(text);
}

}  // namespace forerun::hw
