#pragma once

/// The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): a message is a
/// row of fields, each a varint of (number << 3 | kind) and a value. Written in ascending order of
/// numbers, defaults left out, repeated numbers packed, as protoc's own code does.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::chakra {

enum class WireKind : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

class WireWriter {
 public:
  void varint(std::uint64_t value);
  void number(int field, std::uint64_t value);  ///< also where it is zero
  void fixed64(int field, std::uint64_t value);
  void bytes(int field, std::string_view value);
  void packed(int field, const std::vector<std::uint64_t>& values);
  void append(std::string_view bytes) { out_ += bytes; }  ///< as they are
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  void tag(int field, WireKind kind);
  std::string out_;
};

/// A field as it was read: `number` of varint and fixed kinds, `bytes` of the other.
struct WireField {
  int field = 0;
  WireKind kind = WireKind::varint;
  std::uint64_t number = 0;
  std::string_view bytes;
};

/// Reads what lies in a message. Never reads past its end: a message that is cut off or no message
/// makes failed() true, and next() false from then on.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  [[nodiscard]] bool next(WireField& field);
  [[nodiscard]] bool varint(std::uint64_t& value);
  /// A length and so many bytes.
  [[nodiscard]] bool delimited(std::string_view& bytes);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  bool fixed(int size, std::uint64_t& value);

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace forerun::chakra
