#pragma once

/// MLCommons Chakra execution traces as values: what one rank does, as nodes of a graph. Names,
/// numbers and meaning follow the public schema (github.com/mlcommons/chakra,
/// schema/protobuf/et_def.proto at 6dc63e1; field numbers in trace_binary.cpp).
///
/// Of attributes the scalar kinds that ASTRA-sim and Chakra's converters write are kept; lists,
/// inputs, outputs and storage nodes are read over.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace forerun::chakra {

enum class NodeType : std::uint8_t {
  invalid = 0,
  metadata = 1,
  memory_load = 2,
  memory_store = 3,
  compute = 4,
  send = 5,
  receive = 6,
  collective = 7
};
[[nodiscard]] std::string_view name(NodeType);  ///< as in the schema: "COMM_SEND_NODE"

enum class CollectiveType : std::uint8_t {
  all_reduce = 0,
  reduce = 1,
  all_gather = 2,
  gather = 3,
  scatter = 4,
  broadcast = 5,
  all_to_all = 6,
  reduce_scatter = 7,
  reduce_scatter_block = 8,
  barrier = 9
};

/// The kinds of value, each its own field in the schema.
struct Int32 {
  std::int32_t value = 0;
  bool operator==(const Int32&) const = default;
};
using AttributeValue = std::variant<double, Int32, std::int64_t, std::uint64_t, bool, std::string>;

struct Attribute {
  std::string name;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};

struct Node {
  std::uint64_t id = 0;
  std::string name;
  NodeType type = NodeType::invalid;
  std::vector<std::uint64_t> control_dependencies, data_dependencies;
  std::uint64_t start_micros = 0, duration_micros = 0;
  std::vector<Attribute> attributes;
  bool operator==(const Node&) const = default;

  /// Null if there is none of that name.
  [[nodiscard]] const AttributeValue* attribute(std::string_view name) const;
  /// An attribute that is a whole number of any kind, or `otherwise`.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  /// An attribute that is a text, or empty.
  [[nodiscard]] std::string text(std::string_view name) const;
};

struct ExecutionTrace {
  std::string version;                ///< of GlobalMetadata
  std::vector<Attribute> attributes;  ///< of GlobalMetadata
  std::vector<Node> nodes;
  bool operator==(const ExecutionTrace&) const = default;
};

}  // namespace forerun::chakra
