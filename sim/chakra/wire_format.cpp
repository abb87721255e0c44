#include "sim/chakra/wire_format.h"

namespace forerun::chakra {
namespace {

constexpr int kVarintBits = 7;
constexpr std::uint64_t kMore = 0x80;

}  // namespace

void WireWriter::varint(std::uint64_t value) {
  while (value >= kMore) {
    out_ += static_cast<char>((value & (kMore - 1)) | kMore);
    value >>= kVarintBits;
  }
  out_ += static_cast<char>(value);
}

void WireWriter::tag(int field, WireKind kind) {
  varint((static_cast<std::uint64_t>(field) << 3) | static_cast<unsigned>(kind));
}

void WireWriter::number(int field, std::uint64_t value) {
  tag(field, WireKind::varint);
  varint(value);
}

void WireWriter::fixed64(int field, std::uint64_t value) {
  tag(field, WireKind::fixed64);
  for (int i = 0; i < 8; ++i) out_ += static_cast<char>((value >> (8 * i)) & 0xff);
}

void WireWriter::bytes(int field, std::string_view value) {
  tag(field, WireKind::bytes);
  varint(value.size());
  out_ += value;
}

void WireWriter::packed(int field, const std::vector<std::uint64_t>& values) {
  if (values.empty()) return;
  WireWriter inside;
  for (const std::uint64_t v : values) inside.varint(v);
  bytes(field, inside.text());
}

bool WireReader::varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += kVarintBits) {
    if (rest_.empty()) return fail();
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return fail();
    value |= (byte & (kMore - 1)) << shift;
    if ((byte & kMore) == 0) return true;
  }
  return fail();
}

bool WireReader::delimited(std::string_view& bytes) {
  std::uint64_t size = 0;
  if (!varint(size)) return false;
  if (size > rest_.size()) return fail();
  bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool WireReader::fixed(int size, std::uint64_t& value) {
  if (rest_.size() < static_cast<std::size_t>(size)) return fail();
  value = 0;
  for (int i = 0; i < size; ++i) {
    value |=
        static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[static_cast<std::size_t>(i)]))
        << (8 * i);
  }
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool WireReader::next(WireField& field) {
  if (failed_ || rest_.empty()) return false;
  std::uint64_t tag = 0;
  if (!varint(tag)) return false;
  constexpr std::uint64_t kMostField = (1u << 29) - 1;
  if ((tag >> 3) == 0 || (tag >> 3) > kMostField) return fail();
  field.field = static_cast<int>(tag >> 3);
  field.number = 0;
  field.bytes = {};
  switch (tag & 7) {
    case 0:
      field.kind = WireKind::varint;
      return varint(field.number);
    case 1:
      field.kind = WireKind::fixed64;
      return fixed(8, field.number);
    case 2:
      field.kind = WireKind::bytes;
      return delimited(field.bytes);
    case 5:
      field.kind = WireKind::fixed32;
      return fixed(4, field.number);
    default:
      return fail();
  }
}

}  // namespace forerun::chakra
