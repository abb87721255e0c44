#include "sim/sweep/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/json_writer.h"
#include "core/reader.h"
#include "sim/sweep/store.h"

namespace forerun::sim {
namespace {

enum class Type : std::uint8_t { none, boolean, int64, real, text };
constexpr std::array kTypes = {
    Choice<Type>{"string", Type::none}, Choice<Type>{"bool", Type::boolean},
    Choice<Type>{"int64", Type::int64}, Choice<Type>{"double", Type::real},
    Choice<Type>{"string", Type::text}};

Type type_of(const std::string& value) {
  if (value == "null") return Type::none;
  if (value == "true" || value == "false") return Type::boolean;
  if (value.find_first_of("\"[{") == 0) return Type::text;
  return value.find_first_of(".eE") == std::string::npos ? Type::int64 : Type::real;
}

/// One that holds both.
Type joined(Type a, Type b) {
  if (a == b || b == Type::none) return a;
  if (a == Type::none) return b;
  const bool numbers = std::min(a, b) == Type::int64 && std::max(a, b) == Type::real;
  return numbers ? Type::real : Type::text;
}

std::string field(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += c;
    out += c;
  }
  return out + "\"";
}

/// A JSON text's own text, of others as they are written.
std::string plain(const std::string& value) {
  if (!value.starts_with('"')) return value;
  Problems none;
  const JsonDocument document = JsonDocument::parse("{\"v\": " + value + "}", none);
  return document.root(none).text("v");
}

std::map<std::string, Type> axis_types(const Sweep& s) {
  std::map<std::string, Type> types;
  for (std::int64_t p = 0; p < s.points(); ++p) {
    for (const Setting& one : s.settings(p)) {
      Type& type = types[one.path];
      type = joined(type, type_of(one.value));
    }
  }
  return types;
}

struct Column {
  std::string name;
  Type type = Type::text;
  std::string unit;
  bool gaps = false;
};

/// The columns in their order: point, design, seed, axes, status, cause, reason, metrics.
class Rows {
 public:
  Rows(const Sweep& s, const StoredSweep& stored) : s_(s) {
    columns_ = {{"point", Type::int64, "", false},
                {"design", Type::text, "", false},
                {"seed", Type::int64, "", false}};
    const std::map<std::string, Type> types = axis_types(s);
    for (const std::string& path : s.paths) {
      if (path != "seed") columns_.push_back({path, types.at(path), "", false});
    }
    for (const char* name : {"status", "cause", "reason"}) {
      columns_.push_back({name, Type::text, "", false});
    }
    for (const StoredMetric& m : stored.metrics()) {
      columns_.push_back({m.name, Type::real, m.unit, false});
    }
    for (const Column& c : columns_) text_ += (text_.empty() ? "" : ",") + field(c.name);
    text_ += "\r\n";
  }

  void add(const StoredPoint& p) {
    std::vector<std::string> cells = {fmt::format("{}", p.point), field(p.design),
                                      fmt::format("{}", p.seed)};
    const std::vector<Setting> settings = s_.settings(p.point);
    for (const std::string& path : s_.paths) {
      if (path == "seed") continue;
      const auto one = std::ranges::find(settings, path, &Setting::path);
      const Column& column = columns_[cells.size()];
      if (one == settings.end() || one->value == "null") {
        cells.emplace_back();
      } else {
        cells.push_back(column.type == Type::text ? field(plain(one->value)) : one->value);
      }
    }
    cells.push_back(field(p.status));
    cells.push_back(p.cause.empty() ? std::string{} : field(p.cause));
    cells.push_back(p.reason.empty() ? std::string{} : field(p.reason));
    for (const std::optional<double>& value : p.values) {
      cells.push_back(value ? fmt::format("{}", *value) : std::string{});
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) columns_[i].gaps = true;
      text_ += (i > 0 ? "," : "") + cells[i];
    }
    text_ += "\r\n";
    ++count_;
  }

  [[nodiscard]] const std::string& csv() const { return text_; }

  [[nodiscard]] std::string schema(const std::string& file) const {
    JsonWriter json;
    json.begin_object().key("csv").value(file.substr(file.rfind('/') + 1));
    json.key("rows").value(count_);
    json.key("sweep").value(s_.name).key("hash").value(fmt::format("{:016x}", s_.hash));
    json.key("columns").begin_array();
    for (const Column& c : columns_) {
      json.begin_object().key("name").value(c.name).key("type").value(name_in(kTypes, c.type));
      json.key("unit").value(c.unit).key("nullable").value(c.gaps).end_object();
    }
    json.end_array().end_object();
    return json.text();
  }

 private:
  const Sweep& s_;
  std::vector<Column> columns_;
  std::string text_;
  std::int64_t count_ = 0;
};

}  // namespace

void export_sweep(const Sweep& s, const std::string& store, const std::string& file) {
  const StoredSweep stored(store);
  Rows rows(s, stored);
  stored.each([&](const StoredPoint& p) { rows.add(p); });
  write_file(file, rows.csv());
  write_file(file + ".schema.json", rows.schema(file));
}

}  // namespace forerun::sim
