#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>

#include "cli/listing.h"
#include "cli/load.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/cloud.h"
#include "hw/collective.h"
#include "hw/reliability.h"
#include "hw/roofline.h"
#include "hw/site.h"
#include "hw/stragglers.h"
#include "hw/topology.h"

namespace forerun::cli {
namespace {

using namespace literals;
using Align = Table::Align;

/// "measured: bf16, fp8; from a relative: fp16": what an accelerator's products rest on.
std::string products(const hw::Accelerator& a) {
  std::map<hw::SurfaceBasis, std::vector<std::string_view>> formats;
  for (const auto& [precision, surface] : a.gemm) {
    formats[hw::basis(*surface)].push_back(hw::name(precision));
  }
  std::vector<std::string> parts;
  for (const auto& [basis, names] : formats) {
    parts.push_back(fmt::format("{}: {}", hw::name(basis), fmt::join(names, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string show_power(Watts w) { return fmt::format("{} W", significant(w.base(), 3)); }

/// Cents matter here.
std::string show_price(DollarRate rate, const std::optional<DollarRate>& most) {
  const double least = rate.in(1.0_usd_per_h);
  return most ? fmt::format("{:.2f} - {:.2f}", least, most->in(1.0_usd_per_h))
              : fmt::format("{:.2f}", least);
}

std::string show_sum(const hw::PurchasePrice& p) {
  return p.most ? fmt::format("{} - {}", show(p.price), show(*p.most)) : show(p.price);
}

std::string show_node(const hw::MachineNode& node) {
  return node.accelerator.empty() ? std::string()
                                  : fmt::format("{} x {}", node.accelerators, node.accelerator);
}

void add_row(Listing& l, const hw::Cloud& cloud, const hw::MachineNode& node, std::string price,
             std::string terms, std::string date) {
  l.rows.push_back({cloud.name, node.name, show_node(node), node.network, std::move(price),
                    std::move(terms), std::move(date)});
}

void add_offers(Listing& l, const hw::Cloud& cloud) {
  for (const hw::CloudOffer& offer : cloud.offers) {
    if (offer.prices.empty()) add_row(l, cloud, offer.node, "not known", "", "");
    for (const hw::HourPrice& p : offer.prices) {
      add_row(l, cloud, offer.node, show_price(p.accelerator_hour, p.most),
              std::string(hw::name(p.kind)), hw::text(p.date));
    }
  }
}

void add_sales(Listing& l, const hw::Cloud& cloud) {
  for (const hw::MachineSale& sale : cloud.sales) {
    if (sale.prices.empty()) add_row(l, cloud, sale.node, "not known", "", "");
    for (const hw::PurchasePrice& p : sale.prices) {
      add_row(l, cloud, sale.node, show_sum(p), "to buy: " + p.covers,
              p.date ? hw::text(*p.date) : "not dated");
    }
  }
}

}  // namespace

Listing list_profiles() {
  Listing l{"accelerator profiles",
            {{"name", Align::left},
             {"16-bit peak", Align::right},
             {"memory", Align::right},
             {"memory bandwidth", Align::right},
             {"scale-up", Align::right},
             {"cap", Align::right},
             {"products", Align::left}},
            {}};
  for (const std::string& name : hw::accelerator_names()) {
    const hw::Accelerator a = hw::load_accelerator(name);
    l.rows.push_back({name, show(hw::matrix_peak(a)), show(a.memory), show(a.memory_bandwidth),
                      show(a.scale_up), show_power(a.power.cap), products(a)});
  }
  return l;
}

Listing list_clouds() {
  Listing l{"clouds and machines for sale; prices in USD for an accelerator's hour, or to buy",
            {{"cloud", Align::left},
             {"offer", Align::left},
             {"accelerators", Align::left},
             {"network", Align::left},
             {"price", Align::right},
             {"terms", Align::left},
             {"date", Align::left}},
            {},
            true};
  for (const std::string& name : hw::cloud_names()) {
    const hw::Cloud cloud = hw::load_cloud(name);
    add_offers(l, cloud);
    add_sales(l, cloud);
  }
  return l;
}

Listing list_sites() {
  Listing l{"places and operators; what is not there no source is known for",
            {{"name", Align::left},
             {"where", Align::left},
             {"electricity, USD/kWh", Align::right},
             {"price of", Align::left},
             {"g CO2/kWh", Align::right},
             {"carbon of", Align::left},
             {"PUE", Align::right},
             {"evidence", Align::left}},
            {}};
  for (const std::string& name : hw::site_names()) {
    const hw::Site s = hw::load_site(name);
    const auto& e = s.electricity;
    const auto& c = s.carbon;
    Evidence evidence = Evidence::measured;
    if (e) evidence = weakest(evidence, e->origin.evidence);
    if (c) evidence = weakest(evidence, c->origin.evidence);
    if (s.pue) evidence = weakest(evidence, s.pue->origin.evidence);
    l.rows.push_back({name, s.where, e ? fmt::format("{:.4f}", e->mean().in(1.0_usd_per_kWh)) : "",
                      e && e->date ? hw::text(*e->date) : "", c ? significant(c->mean(), 4) : "",
                      c && c->date ? hw::text(*c->date) : "",
                      s.pue ? fmt::format("{:.2f}", s.pue->value) : "",
                      std::string(forerun::name(evidence))});
  }
  return l;
}

namespace {

/// "2.34 to 6.5", or one number.
std::string shown(const Range& r) {
  return r.low == r.high ? significant(r.low, 3)
                         : fmt::format("{} to {}", significant(r.low, 3), significant(r.high, 3));
}

}  // namespace

Listing list_reliability() {
  Listing l{"reliability profiles: failures in 1,000 days of a node of 8 accelerators",
            {{"name", Align::left},
             {"cause", Align::left},
             {"per 1,000 node-days", Align::right},
             {"nodes lost", Align::right},
             {"evidence", Align::left}},
            {},
            true};
  for (const std::string& name : hw::reliability_names()) {
    const hw::Reliability r = hw::load_reliability(name);
    for (const hw::FailureCause& c : r.causes) {
      l.rows.push_back({name, c.name, shown(c.per_1000_node_days), fmt::format("{}", c.nodes),
                        std::string(forerun::name(c.evidence))});
    }
    if (r.causes.empty()) l.rows.push_back({name, "nothing fails", "0", "", ""});
  }
  return l;
}

Listing list_stragglers() {
  Listing l{"straggler profiles: what slows jobs of a fleet",
            {{"name", Align::left},
             {"cause", Align::left},
             {"share of jobs", Align::right},
             {"mean slowdown of those", Align::right},
             {"evidence", Align::left}},
            {},
            true};
  for (const std::string& name : hw::straggler_names()) {
    for (const hw::StragglerCause& c : hw::load_stragglers(name).causes) {
      l.rows.push_back({name, c.name, show_percent(c.share), fmt::format("{:.2f}", 1 + c.mean),
                        std::string(forerun::name(c.evidence))});
    }
  }
  return l;
}

Listing list_networks() {
  Listing l{"network profiles",
            {{"name", Align::left},
             {"domain", Align::right},
             {"host", Align::right},
             {"scale-up", Align::right},
             {"out of the domain", Align::right},
             {"in-network reduction", Align::left}},
            {}};
  for (const std::string& name : hw::network_names()) {
    const hw::Network n = hw::load_network(name);
    l.rows.push_back({name, fmt::format("{}", n.domain), fmt::format("{}", n.per_node),
                      show(n.scale_up), show(n.network),
                      n.sharp  ? "NVLink and InfiniBand"
                      : n.nvls ? "NVLink"
                               : ""});
  }
  return l;
}

Listing list_topologies() {
  Listing l{
      "topologies", {{"name", Align::left}, {"kind", Align::left}, {"what", Align::left}}, {}};
  for (const std::string& name : hw::topology_names()) {
    Problems problems;
    const std::string path = hw::topology_path(name);
    const JsonDocument document = JsonDocument::load(path, problems);
    const std::optional<hw::Topology> t = hw::read_topology(document, problems);
    if (!t) refuse(path, problems);
    l.rows.push_back({name, std::string(hw::name(t->kind)), t->what});
  }
  return l;
}

}  // namespace forerun::cli
