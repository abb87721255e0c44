#include "tests/sweep/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "core/file.h"

namespace forerun::testing {
namespace {

constexpr uid_t kNobody = 65534;

[[noreturn]] void become(const std::vector<std::string>& words, const Conditions& c,
                         const std::string& output) {
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (c.largest_file) {
    const rlimit limit{*c.largest_file, *c.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (c.as_nobody && ::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
    ::_exit(126);
  }
  std::vector<char*> arguments;
  std::vector<std::string> copies = words;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& words, const Conditions& conditions) {
  id_ = ::fork();
  if (id_ < 0) throw std::runtime_error("no process for a test");
  if (id_ == 0) become(words, conditions, folder_.path("out"));
}

Process::~Process() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void Process::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

Ran Process::wait() {
  int status = 0;
  ::waitpid(std::exchange(id_, -1), &status, 0);
  Ran ran;
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.out = read_file(folder_.path("out"), 1u << 30);
  return ran;
}

std::vector<pid_t> Process::children() const {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    // "123 (name) S 45": the name may hold anything but ends at the last bracket.
    const std::size_t end = text.rfind(") ");
    if (end == std::string::npos || end + 4 > text.size()) continue;
    if (std::atoi(text.c_str() + end + 4) == id_) out.push_back(std::atoi(name.c_str()));
  }
  return out;
}

std::string environment_of(pid_t process, const std::string& variable) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ");
  std::string one;
  while (std::getline(file, one, '\0')) {
    if (one.starts_with(variable + "=")) return one.substr(variable.size() + 1);
  }
  return {};
}

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    if (::access((rest.substr(0, colon) + "/" + program).c_str(), X_OK) == 0) return true;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return false;
}

}  // namespace forerun::testing
