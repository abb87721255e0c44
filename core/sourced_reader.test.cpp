#include "core/sourced_reader.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun {
namespace {

struct Link {
  Bandwidth rate{};
  std::map<std::string, Evidence> evidence;
  std::map<std::string, std::string> source;
};

Link read(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  Link link;
  link.rate = SourcedReader(top, link.evidence, link.source).bandwidth("rate");
  top.finish();
  return link;
}

}  // namespace

TEST_SUITE("core/sourced_reader") {
  TEST_CASE("a field gives its value and leaves its evidence and source under its name") {
    Problems problems;
    const Link link = read(
        R"({"rate": {"value": "400 Gb/s", "evidence": "fitted", "source": "a log"}})", problems);
    CHECK(problems.text("f") == "");
    CHECK(link.rate == 50.0_GBps);
    CHECK(link.evidence.at("rate") == Evidence::fitted);
    CHECK(link.source.at("rate") == "a log");
  }

  TEST_CASE("a field without evidence or source, or with another key, is refused") {
    Problems problems;
    read(R"({"rate": {"value": "400 Gb/s", "evidense": "fitted", "source": ""}})", problems);
    CHECK(problems.text("f") ==
          "f: /rate/evidence: missing\n"
          "f: /rate/source: empty: a number names its source\n"
          "f: /rate/evidense: unknown key (did you mean evidence?)\n");
  }

  TEST_CASE("evidence that is none is refused with the nearest") {
    Problems problems;
    read(R"({"rate": {"value": "400 Gb/s", "evidence": "fited", "source": "s"}})", problems);
    CHECK(problems.text("f") ==
          "f: /rate/evidence: expected one of measured, published, fitted, derived, assumed; found "
          "\"fited\" (did you mean \"fitted\"?)\n");
  }

  TEST_CASE("a field that is no object is told once") {
    Problems problems;
    read(R"({"rate": "400 Gb/s"})", problems);
    CHECK(problems.text("f") == "f: /rate: expected an object, found \"400 Gb/s\"\n");
  }
}

}  // namespace forerun
