#include "hw/cloud.h"

#include <doctest/doctest.h>

#include <set>

#include "core/error.h"
#include "hw/accelerator.h"
#include "hw/collective.h"

TEST_SUITE("hw/cloud") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static PriceDate date(std::string_view text) {
    const auto read = price_date(text);
    REQUIRE(read);
    return *read;
  }

  TEST_CASE("every cloud loads, names itself, and prices name a date and a source") {
    std::size_t offers = 0, prices = 0;
    for (const std::string& name : cloud_names()) {
      CAPTURE(name);
      const Cloud c = load_cloud(name);
      CHECK(c.name == name);
      CHECK_FALSE(c.provider.empty());
      for (const CloudOffer& o : c.offers) {
        CAPTURE(o.node.name);
        ++offers;
        for (const HourPrice& p : o.prices) {
          ++prices;
          // From a tenth of a dollar (a spot TPU) to what the dearest B200 cost.
          CHECK(p.accelerator_hour > 0.1_usd_per_h);
          CHECK(p.accelerator_hour < 20.0_usd_per_h);
          CHECK(p.date >= date("2023"));
        }
      }
    }
    CHECK(offers >= 20);
    CHECK(prices >= 25);
  }

  TEST_CASE(
      "a node's network has as many accelerators a host, and as much bandwidth, as its NICs") {
    for (const std::string& name : cloud_names()) {
      const Cloud c = load_cloud(name);
      std::vector<MachineNode> nodes;
      for (const CloudOffer& o : c.offers) nodes.push_back(o.node);
      for (const MachineSale& s : c.sales) nodes.push_back(s.node);
      for (const MachineNode& node : nodes) {
        if (node.network.empty()) continue;
        CAPTURE(node.name);
        const Network n = load_network(node.network);
        CHECK(scale_up_of(node.accelerator) == n.scale_up_profile);
        CHECK((node.accelerators == n.per_node || node.accelerators == n.domain));
        if (node.nics == 0 || !(node.nic.base() > 0)) continue;
        const double all = static_cast<double>(node.nics) * node.nic.base();
        CHECK(all == doctest::Approx(n.network.base() * static_cast<double>(node.accelerators)));
      }
    }
  }

  TEST_CASE("a date that is less exact ends later") {
    CHECK(date("2025-06") < date("2025"));
    CHECK(date("2024") < date("2025-01"));
    CHECK(date("2026-03-17") < date("2026-03"));
    CHECK(date("2026-03") < date("2026-04-01"));
    CHECK(date("2026-03") == date("2026-03"));
    CHECK(text(date("2026-03-07")) == "2026-03-07");
    CHECK(text(date("2025")) == "2025");
    for (const char* wrong : {"", "26", "2026-13", "2026-00", "2026-02-29", "2026-2", "2026/03",
                              "1999", "2100", "2026-03-1x", "late 2025", "2026-03-17T"}) {
      CAPTURE(wrong);
      CHECK_FALSE(price_date(wrong));
    }
    CHECK(price_date("2024-02-29"));
  }

  // AWS cut its on-demand prices of p5 in June 2025 from 12.29 to 6.88 dollars.
  TEST_CASE("an offer's prices have terms and dates") {
    const Cloud aws = load_cloud("aws");
    const auto p5 = std::ranges::find_if(
        aws.offers, [](const CloudOffer& o) { return o.node.name == "p5.48xlarge"; });
    REQUIRE(p5 != aws.offers.end());
    std::vector<double> on_demand;
    for (const HourPrice& p : p5->prices) {
      if (p.kind == PriceKind::on_demand) on_demand.push_back(p.accelerator_hour.in(1.0_usd_per_h));
    }
    REQUIRE(on_demand.size() == 2);
    CHECK(on_demand[0] == doctest::Approx(12.29));
    CHECK(on_demand[1] == doctest::Approx(6.88));
  }

  TEST_CASE("a name that is not there gets the nearest") {
    try {
      (void)load_cloud("awz");
      FAIL("loaded");
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "no cloud is named awz");
      CHECK(e.hint() == "did you mean aws?");
    }
  }

  static std::string problems_of(const std::string& json) {
    Problems problems;
    CHECK_FALSE(read_cloud(json, problems));
    return problems.text("c");
  }

  static std::string with_price(const std::string& price) {
    return R"({"schema": 1, "name": "c", "provider": "C", "sales": [], "offers": [{"name": "n",
      "accelerator": "h100-sxm-80gb", "accelerators": 8, "evidence": "published", "source": "s",
      "prices": [)" +
           price + "]}]}";
  }

  TEST_CASE("every mistake is reported with its path") {
    CHECK(problems_of(with_price(
              R"({"kind": "spott", "accelerator_hour": "2.95", "date": "2025-6", "evidence":
                  "published", "source": ""})")) ==
          "c: /offers/0/prices/0/kind: expected one of on_demand, capacity_block, spot, reserved, "
          "list, marketplace, survey; found \"spott\" (did you mean \"spot\"?)\n"
          "c: /offers/0/prices/0/accelerator_hour: no unit in \"2.95\"; write a price like "
          "\"2.95 USD/h\"\n"
          "c: /offers/0/prices/0/date: expected a date from 2000 to 2099 like \"2026-03-17\", "
          "\"2026-03\" or \"2026\", found \"2025-6\"\n"
          "c: /offers/0/prices/0/source: empty\n");
    CHECK(problems_of(with_price(
              R"({"kind": "spot", "accelerator_hour": "3 USD/h", "most": "2 USD/h", "date": "2025",
                  "evidence": "published", "source": "s", "sauce": 1})")) ==
          "c: /offers/0/prices/0/most: must be above the lower end of the range\n"
          "c: /offers/0/prices/0/sauce: unknown key (did you mean source?)\n");
    CHECK(problems_of(R"({"schema": 1, "name": "c", "provider": "C", "sales": [], "offers": [
            {"name": "n", "accelerator": "h100-sxm-80g", "accelerators": 0, "network": "aws-p55",
             "evidence": "published", "source": "s", "prices": []}]})") ==
          "c: /offers/0/accelerator: no accelerator profile is named \"h100-sxm-80g\", did you "
          "mean h100-sxm-80gb?\n"
          "c: /offers/0/accelerators: must be from 1 to 1024, found 0\n"
          "c: /offers/0/network: no network profile is named \"aws-p55\", did you mean aws-p5?\n");
  }

  TEST_CASE("two offers of one name, and text that is no JSON, are refused") {
    const std::string offer = R"({"name": "n", "accelerator": "h200-sxm", "accelerators": 8,
      "evidence": "published", "source": "s", "prices": []})";
    CHECK(problems_of(R"({"schema": 1, "name": "c", "provider": "C", "sales": [], "offers": [)" +
                      offer + "," + offer + "]}") == "c: /offers/1/name: \"n\" stands twice\n");
    CHECK_FALSE(problems_of("{\"schema\": 1").empty());
    CHECK_FALSE(problems_of("[]").empty());
  }
}
