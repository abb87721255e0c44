#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "sim/deadlock.h"
#include "sim/program.h"
#include "tests/programs.h"

namespace forerun::sim {
namespace {

/// What executing `p` writes to standard error before an assertion ends it, in a process of its
/// own.
std::string last_words(const Program& p) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report the abort as its own failure
    dup2(ends[1], STDERR_FILENO);
    static_cast<void>(execute(p));
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 1024> part{};
  for (ssize_t n = 0; (n = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return text;
}

}  // namespace

TEST_SUITE("sim/execute") {
  TEST_CASE("a stream runs its operations in issue order, streams run beside each other") {
    Program p = empty_program(1);
    add(p, 0, compute(10));
    add(p, 0, tensor(4));
    add(p, 0, compute(5));
    add(p, 0, tensor(4));
    const Execution e = execute(p);
    CHECK(e.spans[0][2].begin == 10);
    CHECK(e.spans[0][2].end == 15);
    CHECK(e.spans[0][2].waited == 0);
    CHECK(e.spans[0][2].cause == 0);
    CHECK(e.spans[0][3].begin == 4);
    CHECK(e.end == 15);
    CHECK(e.events == 4);
  }

  TEST_CASE("an operation waits for the later of two others and names it as its cause") {
    Program p = empty_program(1);
    const auto a = add(p, 0, tensor(10));
    const auto b = add(p, 0, data(25));
    add(p, 0, compute(3));
    const auto c = add(p, 0, waiting(compute(1), a, b));
    const Execution e = execute(p);
    const Span& s = e.spans[0][static_cast<std::size_t>(c)];
    CHECK(s.begin == 25);
    CHECK(s.waited == 22);
    CHECK(s.waited_for == Category::data_exchange);
    CHECK(s.cause == b);
    CHECK(s.cause_rank == 0);
  }

  TEST_CASE("the host issues in order: a device that outruns it waits for the host") {
    // Host: issues at 5, 10, 15. Device work of 2 each: begins at 5, 10, 15.
    Program p = empty_program(1);
    for (int i = 0; i < 3; ++i) add(p, 0, issued(compute(2), 5));
    const Execution e = execute(p);
    CHECK(e.spans[0][2].begin == 15);
    CHECK(e.spans[0][2].waited == 3);
    CHECK(e.spans[0][2].waited_for == Category::host);
    CHECK(e.spans[0][2].cause == kNone);
    CHECK(e.end == 17);
  }

  TEST_CASE("a folded run of kernels ends no earlier than the host has issued its last") {
    // 1 + 30 ticks of host for 10 of work: bound by the host, ends at 1 + 30. The next is issued
    // after.
    Program p = empty_program(1);
    add(p, 0, issued(compute(10), 1, 30));
    add(p, 0, issued(compute(10), 2));
    const Execution e = execute(p);
    CHECK(e.spans[0][0].begin == 1);
    CHECK(e.spans[0][0].end == 31);
    CHECK(e.spans[0][1].begin == 33);
    CHECK(e.spans[0][1].waited_for == Category::host);
  }

  TEST_CASE("after an operation that the host waits for, issue starts again from its end") {
    Program p = empty_program(1);
    const auto a = add(p, 0, awaited(issued(compute(100), 1)));
    add(p, 0, issued(tensor(5), 7));
    add(p, 0, issued(tensor(5), 7));
    const Execution e = execute(p);
    CHECK(e.spans[0][0].end == 101);
    CHECK(e.spans[0][1].begin == 108);
    CHECK(e.spans[0][1].cause == a);
    CHECK(e.spans[0][1].waited_for == Category::host);
    CHECK(e.spans[0][2].begin == 115);
  }

  TEST_CASE("a receive ends when the matching send has ended, whichever is posted first") {
    Program p = empty_program(2, 2);
    const auto work = add(p, 0, compute(50));
    add(p, 0, send(0, 10));                 // 0..10, before its receive is posted
    add(p, 0, waiting(send(1, 10), work));  // 50..60, after its receive is posted
    const auto busy = add(p, 1, on(StreamKind::pipeline_receive, 20, Category::pipeline_exchange));
    const auto first = add(p, 1, receive(0));
    const auto second = add(p, 1, receive(1));
    const auto use = add(p, 1, waiting(compute(5), second));
    const Execution e = execute(p);
    const auto& spans = e.spans[1];
    CHECK(spans[static_cast<std::size_t>(busy)].end == 20);
    CHECK(spans[static_cast<std::size_t>(first)].begin == 20);
    CHECK(spans[static_cast<std::size_t>(first)].end == 20);
    CHECK(spans[static_cast<std::size_t>(second)].begin == 20);
    CHECK(spans[static_cast<std::size_t>(second)].end == 60);
    CHECK(spans[static_cast<std::size_t>(use)].begin == 60);
  }

  TEST_CASE("waiting for a sender that had not begun is bubble, for its transfer is exchange") {
    Program p = empty_program(2, 3);
    const auto work = add(p, 0, compute(50));
    add(p, 0, waiting(send(0, 10), work));  // 50..60
    add(p, 0, send(1, 20));                 // 60..80
    add(p, 0, send(2, 40));                 // 80..120
    const auto a = add(p, 1, receive(0));
    const auto b = add(p, 1, receive(1));
    const auto c = add(p, 1, receive(2));
    add(p, 1, waiting(compute(5), a));  // 60..65, while the second is on its way
    add(p, 1, waiting(compute(0), b));  // at 80, when the third sets out
    add(p, 1, waiting(compute(5), c));  // 120..125
    const Execution e = execute(p);
    CHECK(e.spans[1][3].waited == 60);
    CHECK(e.spans[1][3].waited_for == Category::bubble);
    CHECK(e.spans[1][4].waited == 15);
    CHECK(e.spans[1][4].waited_for == Category::pipeline_exchange);
    CHECK(e.spans[1][5].waited == 40);
    CHECK(e.spans[1][5].waited_for == Category::pipeline_exchange);
  }

  TEST_CASE("members of a rendezvous begin together when the last is ready") {
    Program p = empty_program(3, 1);
    std::vector<OperationId> before(3);
    for (int r = 0; r < 3; ++r) {
      before[static_cast<std::size_t>(r)] = add(p, r, compute(10 * (r + 1)));
      add(p, r, meeting(waiting(tensor(7), before[static_cast<std::size_t>(r)]), 0));
    }
    const Execution e = execute(p);
    for (std::size_t r = 0; r < 3; ++r) {
      CHECK(e.spans[r][1].begin == 30);
      CHECK(e.spans[r][1].end == 37);
      CHECK(e.spans[r][1].waited == 30);
      CHECK(e.spans[r][1].cause_rank == 2);
      CHECK(e.spans[r][1].cause == before[2]);
    }
    CHECK(e.spans[0][1].waited_for == Category::imbalance);
    CHECK(e.spans[2][1].waited_for == Category::compute);
  }

  TEST_CASE("compute beside a taxing operation is slowed for as long as both run") {
    // Tax 25 %: in the exchange's 50 ticks 40 ticks of work are done, so 100 ticks of work end 10
    // later.
    Program p = empty_program(1);
    const Operation exchange = taxing(tensor(50), 25);

    SUBCASE("when compute begins while the exchange runs") {
      add(p, 0, exchange);
      add(p, 0, issued(compute(100), 30));  // 20 ticks of exchange left do 16 of work
      const Execution e = execute(p);
      CHECK(e.spans[0][1].begin == 30);
      CHECK(e.spans[0][1].slowed == 4);
      CHECK(e.end == 134);
    }
    SUBCASE("when the exchange begins while compute runs") {
      add(p, 0, compute(100));
      add(p, 0, issued(exchange, 20));
      const Execution e = execute(p);
      CHECK(e.spans[0][0].slowed == 10);
      CHECK(e.end == 110);
    }
    SUBCASE("when the exchange outlasts compute") {
      add(p, 0, exchange);
      add(p, 0, compute(20));
      const Execution e = execute(p);
      CHECK(e.spans[0][1].end == 25);
      CHECK(e.end == 50);
    }
    SUBCASE("when two exchanges overlap, their taxes add up") {
      // 0..30 both (50 %): 20 of work; 30..50 one (25 %): 16; the other 64 alone: 50 + 64.
      add(p, 0, exchange);
      add(p, 0, taxing(data(30), 25));
      add(p, 0, compute(100));
      const Execution e = execute(p);
      CHECK(e.spans[0][2].slowed == 14);
      CHECK(e.end == 114);
    }
    SUBCASE("but an operation that its host bounds hides the tax") {
      add(p, 0, issued(compute(100), 0, 130));
      add(p, 0, exchange);  // issued at 130
      const Execution e = execute(p);
      CHECK(e.spans[0][0].end == 130);
      CHECK(e.spans[0][0].slowed == 0);
    }
  }

  TEST_CASE("operations of no duration end where they begin") {
    Program p = empty_program(1);
    OperationId last = kNone;
    for (int i = 0; i < 5; ++i)
      last = add(p, 0, waiting(i % 2 == 0 ? compute(0) : tensor(0), last));
    const Execution e = execute(p);
    CHECK(e.end == 0);
    CHECK(e.events == 5);
  }

  TEST_CASE("a deadlock names who waits for what") {
    // Both ranks receive before they send on one stream: neither send is reached.
    Program p = empty_program(2, 2);
    for (int r = 0; r < 2; ++r) {
      add(p, r, awaited(receive(r)));
      add(p, r, send(1 - r, 5));
    }
    const std::string reason =
        "rank 0 (stage 0) operation 0 'work' on pipeline receive waits for "
        "channel 0: rank 1 (stage 1) operation 1 'work' on pipeline send\n"
        "rank 0 (stage 0) operation 1 'work' on pipeline send waits for "
        "the host, which waits for operation 0\n"
        "rank 1 (stage 1) operation 0 'work' on pipeline receive waits for "
        "channel 1: rank 0 (stage 0) operation 1 'work' on pipeline send\n"
        "rank 1 (stage 1) operation 1 'work' on pipeline send waits for "
        "the host, which waits for operation 0\n";
    CHECK(explain_deadlock(p, {{false, false}, {false, false}}) == reason);
    CHECK(last_words(p).find("deadlock, 0 of 4 operations ended:\n" + reason) != std::string::npos);
  }

  TEST_CASE("a program that is not well formed is refused with the operation and the rule") {
    Program p = empty_program(1, 1);
    SUBCASE("an operation waits for a later one") {
      add(p, 0, waiting(compute(1), 1));
      add(p, 0, compute(1));
      CHECK(last_words(p).find("stage 0 operation 0 waits for 1 and -1") != std::string::npos);
    }
    SUBCASE("a message has no receiver") {
      add(p, 0, send(0, 1));
      CHECK(last_words(p).find("channel 0: sender 0, receiver -1, 0 members") != std::string::npos);
    }
    SUBCASE("a message has two senders") {
      add(p, 0, send(0, 1));
      add(p, 0, send(0, 1));
      CHECK(last_words(p).find("which has that end already") != std::string::npos);
    }
    SUBCASE("a duration is negative") {
      add(p, 0, compute(-1));
      CHECK(last_words(p).find("stage 0 operation 0: duration -1") != std::string::npos);
    }
  }

  TEST_CASE("simulations in several threads do not disturb each other") {
    const Program p = pipeline_program({PipelineSchedule::one_forward_one_backward, 4, 1, 16},
                                       {.forward = 30, .backward = 70, .layers = 4, .exchange = 9});
    const Execution alone = execute(p);
    std::vector<Execution> together(4);
    {
      std::vector<std::jthread> threads;
      for (Execution& e : together) threads.emplace_back([&p, &e] { e = execute(p); });
    }
    for (const Execution& e : together) CHECK(e.spans == alone.spans);
  }

  TEST_CASE("an empty program ends at zero") {
    CHECK(execute(Program{}).end == 0);
    CHECK(execute(empty_program(3)).end == 0);
  }
}

}  // namespace forerun::sim
