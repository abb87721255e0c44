#include "core/json_writer.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun {

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (first_.empty()) return;
  if (!first_.back()) out_ += ',';
  first_.back() = false;
  out_ += '\n';
  out_.append(2 * first_.size(), ' ');
}

JsonWriter& JsonWriter::put(std::string_view literal) {
  separate();
  out_ += literal;
  return *this;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  out_ += bracket;
  first_.push_back(true);
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  FORERUN_ASSERT(!first_.empty() && !after_key_, "nothing to end");
  const bool empty = first_.back();
  first_.pop_back();
  if (!empty) {
    out_ += '\n';
    out_.append(2 * first_.size(), ' ');
  }
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  FORERUN_ASSERT(!first_.empty() && !after_key_, std::string(name));
  separate();
  out_ += json_quoted(name);
  out_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) { return put(json_quoted(text)); }
JsonWriter& JsonWriter::value(double number) {
  FORERUN_ASSERT(std::isfinite(number), fmt::format("{}", number));
  return put(fmt::format("{}", number));
}
JsonWriter& JsonWriter::value(std::int64_t number) { return put(fmt::format("{}", number)); }
JsonWriter& JsonWriter::value(bool truth) { return put(truth ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return put("null"); }

std::string JsonWriter::text() const {
  FORERUN_ASSERT(first_.empty(), fmt::format("{} containers left open", first_.size()));
  return out_ + '\n';
}

}  // namespace forerun
