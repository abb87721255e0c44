#include "sim/replay/load_job.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "sim/replay/trace_text.h"
#include "tests/replay/sample.h"

namespace forerun::replay {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("forerun-replay-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    const std::string path = (path_ / name).string();
    write_file(path, text);
    return path;
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string packed(const std::string& text) {
  z_stream s{};
  REQUIRE(deflateInit2(&s, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = text, out(text.size() + 1000, '\0');
  s.next_in = reinterpret_cast<Bytef*>(in.data());
  s.avail_in = static_cast<uInt>(in.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&s, Z_FINISH) == Z_STREAM_END);
  out.resize(s.total_out);
  deflateEnd(&s);
  return out;
}

std::string refused(const std::vector<std::string>& paths) {
  try {
    static_cast<void>(load_job(paths));
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::wrong);
    return e.what();
  }
  FAIL("nothing was refused");
  return {};
}

TEST_SUITE("sim/replay/load_job") {
  TEST_CASE("a packed table is the table, whatever its name; damage is told") {
    const Folder folder;
    const std::string gz = packed(testing::sample_table());
    const Job job = load_job({folder.file("table.csv.gz", gz)});
    CHECK(job.trace.operations.size() == 18);
    CHECK(load_job({folder.file("table.csv", gz)}).trace.ranks.size() == 2);
    CHECK(refused({folder.file("cut.gz", gz.substr(0, gz.size() / 2))}).find("it ends too early") !=
          std::string::npos);
    std::string damaged = gz;
    damaged[gz.size() / 2] = static_cast<char>(damaged[gz.size() / 2] ^ 0x55);
    CHECK(refused({folder.file("damaged.gz", damaged)}).find("can't unpack") != std::string::npos);
    CHECK(refused({folder.file("tail.gz", gz + "tail")}).find("can't unpack") != std::string::npos);
  }

  TEST_CASE("what unpacks to more than the limit is refused while it unpacks") {
    const Folder folder;
    const std::string path = folder.file("zeros.gz", packed(std::string(1 << 20, '0')));
    CHECK_THROWS_WITH_AS(static_cast<void>(read_trace_text(path, 100'000)),
                         ("can't unpack " + path + ": unpacked it is over 100000 bytes").c_str(),
                         Error);
  }

  TEST_CASE("other tools' files, mixtures and empty folders are refused") {
    const Folder folder;
    CHECK(refused({folder.path()}).find("holds no traces") != std::string::npos);
    CHECK(refused({folder.file("log", "# nThread 1 nGpus 8\n#  size\n")})
              .find("is no trace that is known") != std::string::npos);
    CHECK(refused({folder.file("empty", "")}).find("is no trace") != std::string::npos);
    CHECK(
        refused({folder.file("trace.json", "{\"displayTimeUnit\": \"ns\"}")}).find("unknown key") !=
        std::string::npos);
    const std::string table = folder.file("a.csv", testing::sample_table());
    CHECK(refused({table, table}).find("can't be replayed together") != std::string::npos);
    CHECK(refused({table, folder.file("k.json", "{\"traceEvents\": []}")})
              .find("can't be replayed together") != std::string::npos);
    CHECK(refused({folder.path() + "/none.csv"}).find("No such file") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::replay
