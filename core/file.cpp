#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace forerun {
namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path, int code,
                       std::string hint = {}) {
  throw Error(ExitCode::wrong,
              fmt::format("can't {} {}: {}", doing, path, std::generic_category().message(code)),
              std::move(hint));
}

/// A file descriptor that is closed on every way out.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  /// Closes now and tells whether that went well: the last moment a full disk can be reported.
  [[nodiscard]] bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string read_file(const std::string& path, std::uint64_t limit) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) fail("open", path, errno);
  struct stat info{};
  if (::fstat(file.number(), &info) != 0) fail("read", path, errno);
  if (!S_ISREG(info.st_mode)) {
    throw Error(ExitCode::wrong, fmt::format("can't read {}: not a regular file", path));
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > limit) {
    throw Error(ExitCode::wrong,
                fmt::format("can't read {}: it has {} bytes, the limit is {}", path, size, limit));
  }
  std::string content(size, '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(file.number(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) break;  // it shrank meanwhile
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

void write_file(const std::string& path, std::string_view content) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    throw Error(ExitCode::wrong, fmt::format("can't write {}: not a regular file", path));
  }
  const std::string aside = fmt::format("{}.tmp-{}", path, ::getpid());
  Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) fail("write", path, errno);
  if (!write_all(file.number(), content) || !file.close() ||
      std::rename(aside.c_str(), path.c_str()) != 0) {
    const int code = errno;
    ::unlink(aside.c_str());
    fail("write", path, code);
  }
}

std::string data_path(std::string_view relative) {
  namespace fs = std::filesystem;
  std::error_code ignored;  // a root that can't be looked at is one that does not have the file
  if (const char* chosen = std::getenv("FORERUN_DATA"); chosen != nullptr && *chosen != '\0') {
    const fs::path path = fs::path(chosen) / relative;
    if (fs::exists(path, ignored)) return path.string();
    throw Error(ExitCode::wrong, fmt::format("there is no {}", path.string()),
                fmt::format("FORERUN_DATA is {}", chosen));
  }
  std::string tried;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  const std::array<fs::path, 2> roots = {
      (self.parent_path() / "../share/forerun").lexically_normal(), fs::path(FORERUN_SOURCE_DIR)};
  for (const fs::path& root : roots) {
    const fs::path path = root / relative;
    if (fs::exists(path, ignored)) return path.string();
    tried += (tried.empty() ? "" : ", ") + root.string();
  }
  throw Error(ExitCode::wrong, fmt::format("there is no {} in {}", relative, tried),
              "set FORERUN_DATA to the folder that holds hw/profiles and models/zoo");
}

std::vector<std::string> data_names(std::string_view folder, std::string_view extension) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_path(folder))) {
    if (entry.path().extension() == extension) names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace forerun
