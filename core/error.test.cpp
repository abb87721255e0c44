#include "core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

namespace forerun {

TEST_SUITE("core/error") {
  TEST_CASE("an error carries its exit code, its message and its hint to main") {
    const Error error(ExitCode::no_device, "there is no accelerator", "look with `forerun list`");
    CHECK(static_cast<int>(error.code()) == 4);
    CHECK(std::string(error.what()) == "there is no accelerator");
    CHECK(error.hint() == "look with `forerun list`");
  }

  TEST_CASE("a broken promise of ours stops the program and shows the values") {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::signal(SIGABRT, SIG_DFL);  // else doctest's handler speaks first
      ::dup2(pipe[1], STDERR_FILENO);
      const int tick = 7;
      FORERUN_ASSERT(tick == 7, "is not formatted");
      FORERUN_ASSERT(tick > 7, fmt::format("tick {}", tick));
      std::_Exit(0);
    }
    ::close(pipe[1]);
    std::string said;
    std::array<char, 512> part{};
    for (ssize_t n = 0; (n = ::read(pipe[0], part.data(), part.size())) > 0;) {
      said.append(part.data(), static_cast<std::size_t>(n));
    }
    ::close(pipe[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
    CHECK(said.ends_with("this is a mistake in forerun: tick > 7 is false (tick 7)\n"));
  }
}

}  // namespace forerun
