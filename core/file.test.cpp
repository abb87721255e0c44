#include "core/file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/error.h"

namespace forerun {
namespace {

namespace fs = std::filesystem;

/// An empty folder that goes when the test ends.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "forerun-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] auto files() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

/// Sets FORERUN_DATA, and puts back what it was.
class DataVariable {
 public:
  explicit DataVariable(const std::string& value) {
    if (const char* before = ::getenv("FORERUN_DATA")) before_ = before;
    ::setenv("FORERUN_DATA", value.c_str(), 1);
  }
  DataVariable(const DataVariable&) = delete;
  DataVariable& operator=(const DataVariable&) = delete;
  ~DataVariable() { ::setenv("FORERUN_DATA", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace

TEST_SUITE("core/file") {
  TEST_CASE("what is written is read, and nothing else is left behind") {
    const Folder folder;
    const std::string path = folder / "out.json";
    write_file(path, "first");
    write_file(path, std::string("sec\0nd\n", 7));
    CHECK(read_file(path, 100) == std::string("sec\0nd\n", 7));
    CHECK(folder.files() == 1);
  }

  TEST_CASE("a failed write keeps the old file and says which") {
    const Folder folder;
    ::mkdir((folder / "taken").c_str(), 0700);
    CHECK_THROWS_WITH_AS(
        write_file(folder / "taken", "x"),
        fmt::format("can't write {}: not a regular file", folder / "taken").c_str(), Error);
    CHECK_THROWS_WITH_AS(
        write_file(folder / "no/such/file", "x"),
        fmt::format("can't write {}: No such file or directory", folder / "no/such/file").c_str(),
        Error);
    CHECK(folder.files() == 1);
  }

  TEST_CASE("a missing file is an error that names it") {
    CHECK_THROWS_WITH_AS((void)read_file("no/such.json", 100),
                         "can't open no/such.json: No such file or directory", Error);
  }

  TEST_CASE("a file over the limit is refused before it is read") {
    const Folder folder;
    const std::string path = folder / "huge.json";
    {
      const std::ofstream create(path);
    }
    // A hole of one TiB: reading it would take minutes, and memory that no machine here has.
    fs::resize_file(path, std::uintmax_t{1} << 40);
    CHECK_THROWS_WITH_AS(
        (void)read_file(path, 1000),
        fmt::format("can't read {}: it has 1099511627776 bytes, the limit is 1000", path).c_str(),
        Error);
  }

  TEST_CASE("a folder, a device and a pipe without a writer are refused at once") {
    const Folder folder;
    const std::string pipe = folder / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    for (const std::string& path : {folder / ".", std::string("/dev/zero"), pipe}) {
      CHECK_THROWS_WITH_AS((void)read_file(path, 1000),
                           fmt::format("can't read {}: not a regular file", path).c_str(), Error);
    }
  }

  TEST_CASE("the data folder is what FORERUN_DATA says, and nothing else then") {
    const Folder folder;
    const DataVariable variable(folder / ".");
    write_file(folder / "here", "");
    CHECK(fs::equivalent(data_path("here"), folder / "here"));
    CHECK_THROWS_AS((void)data_path("models/zoo"), Error);
  }

  TEST_CASE("without FORERUN_DATA a program in its build folder finds the source tree") {
    const DataVariable variable("");
    CHECK(fs::exists(data_path("core/file.h")));
    try {
      (void)data_path("no/such/data");
      FAIL("found what is not there");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).starts_with("there is no no/such/data in "));
      CHECK(error.code() == ExitCode::wrong);
      CHECK(!error.hint().empty());
    }
  }
}

}  // namespace forerun
