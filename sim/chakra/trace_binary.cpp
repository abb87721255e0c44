#include "sim/chakra/trace_binary.h"

#include <fmt/format.h>

#include <bit>

#include "sim/chakra/wire_format.h"

namespace forerun::chakra {
namespace {

// Field numbers of the schema.
namespace metadata_field {
constexpr int version = 1, attribute = 2;
}
namespace node_field {
constexpr int id = 1, name = 2, type = 3, control = 4, data = 5, start = 6, duration = 7,
              attribute = 10;
}
namespace attribute_field {
constexpr int name = 1, double_value = 3, int32_value = 7, int64_value = 9, uint32_value = 11,
              uint64_value = 13, bool_value = 27, string_value = 29;
}

void put(WireWriter& w, const AttributeValue& value) {
  using namespace attribute_field;
  if (const auto* d = std::get_if<double>(&value)) {
    w.fixed64(double_value, std::bit_cast<std::uint64_t>(*d));
  } else if (const auto* i = std::get_if<Int32>(&value)) {
    // Negative numbers are extended to 64 bits, ten bytes.
    w.number(int32_value, static_cast<std::uint64_t>(std::int64_t{i->value}));
  } else if (const auto* l = std::get_if<std::int64_t>(&value)) {
    w.number(int64_value, static_cast<std::uint64_t>(*l));
  } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
    w.number(uint64_value, *u);
  } else if (const auto* b = std::get_if<bool>(&value)) {
    w.number(bool_value, *b ? 1 : 0);
  } else {
    w.bytes(string_value, std::get<std::string>(value));
  }
}

std::string encode(const Attribute& a) {
  WireWriter w;
  if (!a.name.empty()) w.bytes(attribute_field::name, a.name);
  put(w, a.value);
  return w.text();
}

std::string encode(const Node& n) {
  WireWriter w;
  if (n.id != 0) w.number(node_field::id, n.id);
  if (!n.name.empty()) w.bytes(node_field::name, n.name);
  if (n.type != NodeType::invalid) {
    w.number(node_field::type, static_cast<std::uint64_t>(n.type));
  }
  w.packed(node_field::control, n.control_dependencies);
  w.packed(node_field::data, n.data_dependencies);
  if (n.start_micros != 0) w.number(node_field::start, n.start_micros);
  if (n.duration_micros != 0) w.number(node_field::duration, n.duration_micros);
  for (const Attribute& a : n.attributes) w.bytes(node_field::attribute, encode(a));
  return w.text();
}

/// Numbers of a repeated field: packed or one by one.
bool take_numbers(const WireField& f, std::vector<std::uint64_t>& into) {
  if (f.kind == WireKind::varint) {
    into.push_back(f.number);
    return true;
  }
  WireReader r(f.bytes);
  while (f.kind == WireKind::bytes && !r.at_end()) {
    std::uint64_t value = 0;
    if (!r.varint(value)) return false;
    into.push_back(value);
  }
  return f.kind == WireKind::bytes;
}

/// False if damaged. An attribute of a kind that is not kept has an empty text.
bool decode(std::string_view bytes, Attribute& a) {
  using namespace attribute_field;
  WireReader r(bytes);
  WireField f;
  a.value = std::string();
  while (r.next(f)) {
    if (f.field == attribute_field::name && f.kind == WireKind::bytes) a.name = f.bytes;
    if (f.kind == WireKind::fixed64 && f.field == double_value) {
      a.value = std::bit_cast<double>(f.number);
    } else if (f.kind == WireKind::bytes && f.field == string_value) {
      a.value = std::string(f.bytes);
    } else if (f.kind == WireKind::varint) {
      if (f.field == int32_value) a.value = Int32{static_cast<std::int32_t>(f.number)};
      if (f.field == int64_value) a.value = static_cast<std::int64_t>(f.number);
      if (f.field == uint32_value || f.field == uint64_value) a.value = f.number;
      if (f.field == bool_value) a.value = f.number != 0;
    }
  }
  return !r.failed();
}

bool decode(std::string_view bytes, Node& n) {
  WireReader r(bytes);
  WireField f;
  while (r.next(f)) {
    const bool number = f.kind == WireKind::varint, text = f.kind == WireKind::bytes;
    if (f.field == node_field::id && number) n.id = f.number;
    if (f.field == node_field::name && text) n.name = f.bytes;
    if (f.field == node_field::type && number) {
      n.type = f.number <= static_cast<std::uint64_t>(NodeType::collective)
                   ? static_cast<NodeType>(f.number)
                   : NodeType::invalid;
    }
    if (f.field == node_field::start && number) n.start_micros = f.number;
    if (f.field == node_field::duration && number) n.duration_micros = f.number;
    if (f.field == node_field::control && !take_numbers(f, n.control_dependencies)) return false;
    if (f.field == node_field::data && !take_numbers(f, n.data_dependencies)) return false;
    if (f.field == node_field::attribute && text && !decode(f.bytes, n.attributes.emplace_back())) {
      return false;
    }
  }
  return !r.failed();
}

bool decode_metadata(std::string_view bytes, ExecutionTrace& t) {
  WireReader r(bytes);
  WireField f;
  while (r.next(f)) {
    if (f.kind != WireKind::bytes) return false;
    if (f.field == metadata_field::version) t.version = f.bytes;
    if (f.field == metadata_field::attribute && !decode(f.bytes, t.attributes.emplace_back())) {
      return false;
    }
  }
  return !r.failed();
}

}  // namespace

std::string encode(const ExecutionTrace& t) {
  WireWriter w;
  const auto delimited = [&w](const std::string& message) {
    w.varint(message.size());
    w.append(message);
  };
  WireWriter metadata;
  if (!t.version.empty()) metadata.bytes(metadata_field::version, t.version);
  for (const Attribute& a : t.attributes) metadata.bytes(metadata_field::attribute, encode(a));
  delimited(metadata.text());
  for (const Node& n : t.nodes) delimited(encode(n));
  return w.text();
}

std::optional<ExecutionTrace> decode(std::string_view bytes, Problems& problems) {
  ExecutionTrace t;
  WireReader r(bytes);
  for (std::size_t message = 0; message == 0 || !r.at_end(); ++message) {
    const std::size_t begin = bytes.size() - r.left();
    std::string_view body;
    const bool whole = r.delimited(body);
    if (message > 0 && whole && body.empty()) {
      problems.add(fmt::format("byte {}", begin), "an empty Node: is this the whole of a file?");
      return std::nullopt;
    }
    if (whole && (message == 0 ? decode_metadata(body, t) : decode(body, t.nodes.emplace_back()))) {
      continue;
    }
    problems.add(fmt::format("byte {}", begin),
                 whole ? fmt::format("message {} is no {} of a Chakra execution trace", message,
                                     message == 0 ? "GlobalMetadata" : "Node")
                       : fmt::format("message {} is cut off: is the file whole?", message));
    return std::nullopt;
  }
  return t;
}

bool is_binary_trace(std::string_view bytes) {
  WireReader r(bytes);
  std::string_view body;
  ExecutionTrace t;
  // An empty message is a zero byte: a file of those is no trace.
  return !bytes.empty() && bytes.front() != '{' && r.delimited(body) && !body.empty() &&
         decode_metadata(body, t);
}

}  // namespace forerun::chakra
