#include "sim/replay/trace_text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace forerun::replay {
namespace {

constexpr std::size_t kBuffer = 1 << 16;

/// Inflates one or more gzip members.
class Inflater {
 public:
  Inflater() : ready_(inflateInit2(&stream_, kGzip) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Empty if all of `packed` was read, else what is wrong.
  std::string read(std::string& packed, std::uint64_t limit, std::string& out) {
    if (!ready_) return "zlib could not begin";
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    for (;;) {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = buffer_.size() - stream_.avail_out;
      if (out.size() + made > limit) return fmt::format("unpacked it is over {} bytes", limit);
      out.append(reinterpret_cast<const char*>(buffer_.data()), made);
      if (code == Z_STREAM_END) {
        if (stream_.avail_in == 0) return {};
        if (inflateReset(&stream_) != Z_OK) return "zlib could not go on";
      } else if (code != Z_OK) {
        return code == Z_BUF_ERROR ? "it ends too early"
                                   : fmt::format("it is damaged ({})",
                                                 stream_.msg != nullptr ? stream_.msg : "zlib");
      }
    }
  }

 private:
  static constexpr int kGzip = 15 + 16;
  z_stream stream_{};
  bool ready_;
  std::array<Bytef, kBuffer> buffer_{};
};

}  // namespace

std::string read_trace_text(const std::string& path, std::uint64_t limit) {
  std::string text = read_file(path, limit);
  if (!text.starts_with("\x1f\x8b")) return text;
  std::string unpacked;
  const std::string wrong = Inflater().read(text, limit, unpacked);
  if (!wrong.empty()) {
    throw Error(ExitCode::wrong, fmt::format("can't unpack {}: {}", path, wrong),
                unpacked.size() + kBuffer > limit ? "a table may be cut by steps"
                                                  : "gzip -t says whether a packed file is whole");
  }
  return unpacked;
}

}  // namespace forerun::replay
