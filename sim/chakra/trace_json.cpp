#include "sim/chakra/trace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <type_traits>
#include <utility>

#include "core/json_pieces.h"
#include "core/reader.h"

namespace forerun::chakra {
namespace {

constexpr std::size_t kMostProblems = 20;

constexpr std::array<NodeType, 8> kTypes = {
    NodeType::invalid, NodeType::metadata, NodeType::memory_load, NodeType::memory_store,
    NodeType::compute, NodeType::send,     NodeType::receive,     NodeType::collective};

/// An object whose whole numbers may stand in quotes: `quiet` tries them as texts, and what it has
/// to say about numbers is not heard.
class QuotedReader {
 public:
  QuotedReader(Reader quiet, Reader loud, const Problems& unheard)
      : quiet_(std::move(quiet)), loud_(std::move(loud)), unheard_(unheard) {}

  /// The spelling of a key that is there, or null.
  [[nodiscard]] const char* key(const char* camel, const char* snake) const {
    return loud_.has(camel) ? camel : loud_.has(snake) ? snake : nullptr;
  }
  Reader& loud() { return loud_; }
  std::string text(const char* name) { return loud_.has(name) ? loud_.text(name) : std::string(); }
  template <class Number>
  Number number(const char* name);
  std::vector<std::uint64_t> numbers(const char* name);
  NodeType type();
  std::vector<Attribute> attributes();

 private:
  template <class Number>
  Number parsed(const char* name, const std::string& digits);
  Attribute attribute();

  Reader quiet_, loud_;
  const Problems& unheard_;
};

template <class Number>
Number QuotedReader::parsed(const char* name, const std::string& digits) {
  Number value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc{} && rest == end) return value;
  loud_.problem(name, fmt::format("expected a whole number of 64 bits, found \"{}\"", digits));
  return 0;
}

template <class Number>
Number QuotedReader::number(const char* name) {
  const std::size_t before = unheard_.list().size();
  const std::string digits = quiet_.text(name);
  if (unheard_.list().size() == before) return parsed<Number>(name, digits);
  const std::int64_t least = std::is_signed_v<Number> ? INT64_MIN : 0;
  return static_cast<Number>(loud_.integer(name, least, INT64_MAX));
}

std::vector<std::uint64_t> QuotedReader::numbers(const char* name) {
  std::vector<std::uint64_t> list;
  const std::size_t before = unheard_.list().size();
  const std::vector<std::string> texts = quiet_.texts(name);
  if (unheard_.list().size() == before) {
    for (const std::string& t : texts) list.push_back(parsed<std::uint64_t>(name, t));
    return list;
  }
  for (const std::int64_t i : loud_.integers(name, 0, INT64_MAX)) {
    list.push_back(static_cast<std::uint64_t>(i));
  }
  return list;
}

NodeType QuotedReader::type() {
  if (!loud_.has("type")) return NodeType::invalid;
  const std::size_t before = unheard_.list().size();
  const std::string word = quiet_.text("type");
  if (unheard_.list().size() > before) {
    const std::int64_t number = loud_.integer("type", 0, INT32_MAX);
    return number < std::ssize(kTypes) ? kTypes[static_cast<std::size_t>(number)]
                                       : NodeType::invalid;
  }
  std::vector<std::string_view> names;
  for (const NodeType t : kTypes) {
    if (name(t) == word) return t;
    names.push_back(name(t));
  }
  loud_.problem("type", fmt::format("unknown type of node \"{}\"; {}", word,
                                    did_you_mean(word, names, "see Chakra's et_def.proto")));
  return NodeType::invalid;
}

Attribute QuotedReader::attribute() {
  Attribute a;
  a.name = text("name");
  a.value = std::string();
  if (const char* k = key("int64Val", "int64_val")) a.value = number<std::int64_t>(k);
  if (const char* k = key("uint64Val", "uint64_val")) a.value = number<std::uint64_t>(k);
  if (const char* k = key("uint32Val", "uint32_val")) a.value = number<std::uint64_t>(k);
  if (const char* k = key("int32Val", "int32_val")) {
    a.value = Int32{static_cast<std::int32_t>(loud_.integer(k, INT32_MIN, INT32_MAX))};
  }
  if (const char* k = key("boolVal", "bool_val")) a.value = loud_.boolean(k);
  if (const char* k = key("stringVal", "string_val")) a.value = loud_.text(k);
  for (const auto& [camel, snake] :
       {std::pair("doubleVal", "double_val"), std::pair("floatVal", "float_val")}) {
    if (const char* k = key(camel, snake)) a.value = loud_.number(k, -1e300, 1e300);
  }
  return a;
}

std::vector<Attribute> QuotedReader::attributes() {
  std::vector<Attribute> list;
  if (!loud_.has("attr")) return list;
  std::vector<Reader> quiet = quiet_.objects("attr"), loud = loud_.objects("attr");
  for (std::size_t i = 0; i < std::min(quiet.size(), loud.size()); ++i) {
    list.push_back(QuotedReader(quiet[i], loud[i], unheard_).attribute());
  }
  return list;
}

Node read_node(QuotedReader& r) {
  Node n;
  if (const char* k = r.key("id", "id")) n.id = r.number<std::uint64_t>(k);
  n.name = r.text("name");
  n.type = r.type();
  if (const char* k = r.key("ctrlDeps", "ctrl_deps")) n.control_dependencies = r.numbers(k);
  if (const char* k = r.key("dataDeps", "data_deps")) n.data_dependencies = r.numbers(k);
  if (const char* k = r.key("startTimeMicros", "start_time_micros")) {
    n.start_micros = r.number<std::uint64_t>(k);
  }
  if (const char* k = r.key("durationMicros", "duration_micros")) {
    n.duration_micros = r.number<std::uint64_t>(k);
  }
  n.attributes = r.attributes();
  return n;
}

}  // namespace

std::optional<ExecutionTrace> read_json_trace(std::string_view text, Problems& problems) {
  ExecutionTrace t;
  bool first = true;
  const auto read = [&](std::string_view piece, const std::string& place) {
    Problems wrong, unheard;
    const JsonDocument document = JsonDocument::parse(piece, wrong);
    QuotedReader r(document.root(unheard), document.root(wrong), unheard);
    // GlobalMetadata has neither an identity nor a type; a node with neither is the first of all
    // defaults, which no tool writes.
    if (std::exchange(first, false) && !r.loud().has("id") && !r.loud().has("type")) {
      t.version = r.text("version");
      t.attributes = r.attributes();
      r.loud().finish();
    } else if (wrong.empty() && !r.loud().has("name") && !r.loud().has("type")) {
      wrong.add("", "is no node of a Chakra execution trace: it has neither name nor type");
    } else {
      t.nodes.push_back(read_node(r));
    }
    for (const Problem& p : wrong.list()) {
      problems.add(p.where.empty() ? place : place + ", " + p.where, p.what);
    }
    return problems.list().size() < kMostProblems;
  };
  for_each_object(text, read, problems);
  if (!problems.empty()) return std::nullopt;
  return t;
}

}  // namespace forerun::chakra
