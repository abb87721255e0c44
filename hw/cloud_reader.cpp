#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/cloud.h"
#include "hw/collective.h"

namespace forerun::hw {

namespace {

constexpr std::int64_t kMostInNode = 1024;

/// What the file may name.
struct ProfileNames {
  std::vector<std::string> accelerators = accelerator_names(), networks = network_names();
};

/// A name of one of `known`; reported with the nearest otherwise.
std::string known_name(Reader& at, std::string_view key, const std::vector<std::string>& known,
                       std::string_view what) {
  std::string name = at.text(key);
  if (!std::ranges::binary_search(known, name)) {
    const std::string near = nearest(name, {known.begin(), known.end()});
    at.problem(key, fmt::format("no {} is named \"{}\"{}", what, name,
                                near.empty() ? "" : fmt::format(", did you mean {}?", near)));
  }
  return name;
}

std::string said(Reader& at, std::string_view key) {
  std::string text = at.text(key);
  if (text.empty()) at.problem(key, "empty");
  return text;
}

PriceDate read_date(Reader& at) {
  const std::string written = at.text("date");
  const std::optional<PriceDate> date = price_date(written);
  if (!date) {
    at.problem("date", fmt::format("expected a date from 2000 to 2099 like \"2026-03-17\", "
                                   "\"2026-03\" or \"2026\", found \"{}\"",
                                   written));
  }
  return date.value_or(PriceDate{});
}

/// The upper end of a range, above its lower end.
template <class Money>
std::optional<Money> read_most(Reader& at, Money least, Money (Reader::*read)(std::string_view)) {
  if (!at.has("most")) return std::nullopt;
  const Money most = (at.*read)("most");
  if (!(least < most)) at.problem("most", "must be above the lower end of the range");
  return most;
}

HourPrice read_hour_price(Reader& at) {
  HourPrice p;
  p.kind = at.choice<PriceKind>("kind", kPriceKinds);
  p.accelerator_hour = at.dollar_rate("accelerator_hour");
  if (!(p.accelerator_hour.base() > 0)) at.problem("accelerator_hour", "must be above 0");
  p.most = read_most(at, p.accelerator_hour, &Reader::dollar_rate);
  p.date = read_date(at);
  if (at.has("region")) p.region = said(at, "region");
  p.evidence = at.evidence("evidence");
  p.source = said(at, "source");
  at.finish();
  return p;
}

PurchasePrice read_purchase(Reader& at) {
  PurchasePrice p;
  p.price = at.dollars("price");
  if (!(p.price.base() > 0)) at.problem("price", "must be above 0");
  p.most = read_most(at, p.price, &Reader::dollars);
  if (at.has("date")) p.date = read_date(at);
  p.covers = said(at, "covers");
  p.evidence = at.evidence("evidence");
  p.source = said(at, "source");
  at.finish();
  return p;
}

MachineNode read_node(Reader& at, const ProfileNames& names) {
  MachineNode n;
  n.name = said(at, "name");
  if (at.has("accelerator")) {
    n.accelerator = known_name(at, "accelerator", names.accelerators, "accelerator profile");
    n.accelerators = at.integer("accelerators", 1, kMostInNode);
  }
  if (at.has("nics")) {
    n.nics = at.integer("nics", 1, kMostInNode);
    if (at.has("nic")) n.nic = at.bandwidth("nic");
  }
  if (at.has("network")) n.network = known_name(at, "network", names.networks, "network profile");
  if (at.has("processors")) n.processors = said(at, "processors");
  if (at.has("host_memory")) n.host_memory = at.bytes("host_memory");
  if (at.has("power")) n.power = at.watts("power");
  n.evidence = at.evidence("evidence");
  n.source = said(at, "source");
  return n;
}

CloudOffer read_offer(Reader& at, const ProfileNames& names) {
  CloudOffer o;
  o.node = read_node(at, names);
  if (o.node.accelerator.empty()) at.problem("accelerator", "missing");
  for (Reader& price : at.objects("prices")) o.prices.push_back(read_hour_price(price));
  std::ranges::stable_sort(o.prices, {}, &HourPrice::date);
  at.finish();
  return o;
}

MachineSale read_sale(Reader& at, const ProfileNames& names) {
  MachineSale s;
  s.node = read_node(at, names);
  for (Reader& price : at.objects("prices")) s.prices.push_back(read_purchase(price));
  at.finish();
  return s;
}

}  // namespace

std::optional<Cloud> read_cloud(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  const ProfileNames names;
  Cloud c;
  (void)top.integer("schema", 1, 1);
  c.name = said(top, "name");
  c.provider = said(top, "provider");
  std::set<std::string> seen;
  const auto once = [&](Reader& at, const std::string& name) {
    if (!name.empty() && !seen.insert(name).second) {
      at.problem("name", fmt::format("\"{}\" stands twice", name));
    }
  };
  for (Reader& at : top.objects("offers")) {
    c.offers.push_back(read_offer(at, names));
    once(at, c.offers.back().node.name);
  }
  for (Reader& at : top.objects("sales")) {
    c.sales.push_back(read_sale(at, names));
    once(at, c.sales.back().node.name);
  }
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return c;
}

}  // namespace forerun::hw
