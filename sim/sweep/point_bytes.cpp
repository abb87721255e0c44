// A point's answer as bytes, for messages between processes.

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

#include "core/error.h"
#include "sim/sweep/point.h"

namespace forerun::sim {
namespace {

class Writer {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    std::memcpy(out_.data() + at, &value, sizeof value);
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    FORERUN_ASSERT(count <= bytes_.size(), fmt::format("{} of {}", count, bytes_.size()));
    const std::string_view out = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return out;
  }
  std::string_view bytes_;
};

}  // namespace

std::string packed(const PointResult& r) {
  Writer w;
  w.number(r.point);
  w.number(r.status);
  w.text(r.cause);
  w.text(r.reason);
  w.number(static_cast<std::uint32_t>(r.metrics.size()));
  for (const Metric& m : r.metrics) {
    w.text(m.name);
    w.text(m.unit);
    w.number(m.value.value_or(0));
    w.number(m.evidence);
  }
  return w.take();
}

PointResult unpacked(std::string_view bytes) {
  Taker t(bytes);
  PointResult r;
  r.point = t.number<std::int64_t>();
  r.status = t.number<PointStatus>();
  r.cause = t.text();
  r.reason = t.text();
  const auto count = t.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    Metric m;
    m.name = t.text();
    m.unit = t.text();
    m.value = t.number<double>();
    m.evidence = t.number<Evidence>();
    r.metrics.push_back(std::move(m));
  }
  FORERUN_ASSERT(t.empty(), fmt::format("bytes after point {}", r.point));
  return r;
}

}  // namespace forerun::sim
