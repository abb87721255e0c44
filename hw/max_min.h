#pragma once

/// Max-min fair shares of flows over links. Every flow f moves at a rate r_f and loads link l with
/// u_fl r_f; no link carries more than its capacity C_l:
///
///   sum_f u_fl r_f <= C_l,
///
/// and no r_f can rise without lowering one that is as small or smaller (Bertsekas and Gallager,
/// Data Networks, 6.5.2). A plain flow has u = 1 on every link of its way. A flow that stands for
/// transfers that move together, such as all hops of a ring, has the sum of theirs.
///
/// Progressive filling: all rates rise together until a link is full; its flows stay at that level
/// and the rest rise on. Every link is full at most once, and its level only rises while it waits,
/// so a heap of links finds the next: O(uses + links log links) for flows with few levels. Links
/// that fill at levels within 1e-9 of each other (relative) count as one level, so that what is
/// symmetric is equal to the last bit.
///
/// Only what a flow that came or went can change is solved again. Until the rates reach that
/// flow's, filling with and without it is the same, because no link on its way is full before it
/// stops. So flows below the lowest rate of those that came (at least the even share of each link)
/// or went keep theirs, and the rest only where shared links connect it to them. Of equal transfers
/// the fastest end first: then little is left to solve.

#include <cstdint>
#include <limits>
#include <vector>

namespace forerun::hw {

struct LinkUse {
  std::int32_t link = 0;
  double share = 1;  ///< bytes on the link for each byte of the flow, above zero
};

class MaxMin {
 public:
  using Flow = std::int32_t;
  /// Capacities above zero.
  explicit MaxMin(std::vector<double> capacity);

  /// `uses`: at least one, no link twice. The rate is zero until solve().
  [[nodiscard]] Flow add(const std::vector<LinkUse>& uses);
  void remove(Flow);
  /// Of a link that no flow uses.
  void set_capacity(std::int32_t link, double capacity);
  /// Flows whose rate is another than before, in no particular but a reproducible order.
  const std::vector<Flow>& solve();
  [[nodiscard]] double rate(Flow f) const { return flows_[static_cast<std::size_t>(f)].rate; }

  /// How often solve() had something to do, and how many flows and uses it looked at in all.
  [[nodiscard]] std::int64_t solves() const { return solves_; }
  [[nodiscard]] std::int64_t flows_solved() const { return flows_solved_; }
  [[nodiscard]] std::int64_t uses_solved() const { return uses_solved_; }

 private:
  struct Use {
    std::int32_t link, place;  // place: in the link's list
    double share;
  };
  struct Member {
    std::int32_t flow, use;  // use: in the flow's list
    double share;
  };
  struct State {
    std::vector<Use> uses;
    double rate = 0;
    std::int64_t seen = 0;  // of the last solve that reached it
    bool frozen = false, is_new = false;
  };
  struct Link {
    double capacity = 0;
    std::vector<Member> members;
    // While solving: capacity that is left, and shares of the flows that still rise.
    double left = 0, rising = 0, all = 0;
    std::int32_t count = 0;
    std::int64_t seen = 0;
    bool dirty = false;
  };
  void mark(std::int32_t link);
  void find_floor();
  void collect();
  void fill();
  [[nodiscard]] double level(Link& link) const;

  std::vector<Link> links_;
  std::vector<State> flows_;
  std::vector<Flow> free_;
  std::vector<std::int32_t> dirty_;
  std::vector<std::int32_t> component_links_;
  std::vector<Flow> component_flows_, changed_;
  std::vector<Flow> added_;
  std::vector<double> before_;
  double floor_ = std::numeric_limits<double>::infinity();  // lowest rate of what came or went
  std::int64_t solves_ = 0, flows_solved_ = 0, uses_solved_ = 0;
};

}  // namespace forerun::hw
