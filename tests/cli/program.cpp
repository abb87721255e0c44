#include "tests/cli/program.h"

#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "core/file.h"

namespace forerun::testing {
namespace {

std::string in_shell(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

constexpr std::uint64_t kMostOutput = 1ull << 30;

}  // namespace

Ran forerun(const std::vector<std::string>& words) {
  const Folder folder;
  Ran ran = forerun_into(folder.path("out"), words);
  ran.out = read_file(folder.path("out"), kMostOutput);
  return ran;
}

Ran forerun_into(const std::string& path, const std::vector<std::string>& words) {
  const Folder folder;
  std::string command = in_shell(FORERUN_PROGRAM);
  for (const std::string& word : words) command += " " + in_shell(word);
  command += " >" + in_shell(path) + " 2>" + in_shell(folder.path("err"));
  const auto begin = std::chrono::steady_clock::now();
  const int status = std::system(command.c_str());
  Ran ran;
  ran.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ran.err = read_file(folder.path("err"), kMostOutput);
  return ran;
}

}  // namespace forerun::testing
