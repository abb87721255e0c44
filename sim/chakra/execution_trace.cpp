#include "sim/chakra/execution_trace.h"

#include <algorithm>
#include <limits>

namespace forerun::chakra {

std::string_view name(NodeType type) {
  switch (type) {
    case NodeType::invalid:
      return "INVALID_NODE";
    case NodeType::metadata:
      return "METADATA_NODE";
    case NodeType::memory_load:
      return "MEM_LOAD_NODE";
    case NodeType::memory_store:
      return "MEM_STORE_NODE";
    case NodeType::compute:
      return "COMP_NODE";
    case NodeType::send:
      return "COMM_SEND_NODE";
    case NodeType::receive:
      return "COMM_RECV_NODE";
    case NodeType::collective:
      return "COMM_COLL_NODE";
  }
  return "unknown";
}

const AttributeValue* Node::attribute(std::string_view wanted) const {
  const auto found = std::ranges::find(attributes, wanted, &Attribute::name);
  return found == attributes.end() ? nullptr : &found->value;
}

std::int64_t Node::integer(std::string_view wanted, std::int64_t otherwise) const {
  const AttributeValue* v = attribute(wanted);
  if (v == nullptr) return otherwise;
  if (const auto* i = std::get_if<Int32>(v)) return i->value;
  if (const auto* i = std::get_if<std::int64_t>(v)) return *i;
  if (const auto* u = std::get_if<std::uint64_t>(v)) {
    return *u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
               ? static_cast<std::int64_t>(*u)
               : otherwise;
  }
  return otherwise;
}

std::string Node::text(std::string_view wanted) const {
  const AttributeValue* v = attribute(wanted);
  const auto* s = v != nullptr ? std::get_if<std::string>(v) : nullptr;
  return s != nullptr ? *s : std::string();
}

}  // namespace forerun::chakra
