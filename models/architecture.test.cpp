#include "models/architecture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/replaced.h"

namespace forerun::models {
namespace {

constexpr const char* kWhole =
    R"({"name": "small", "layers": 2, "hidden": 64, "heads": 4, "kv_heads": 2, "head_dim": 16, "ffn": 128,
        "vocab": 1000, "activation": "swiglu", "position": "rotary", "norm": "rms_norm",
        "tied_embeddings": true, "linear_bias": false})";

Architecture read(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader reader = document.root(problems);
  return read_architecture(reader);
}

bool reports(const Problems& problems, const std::string& where, const std::string& part) {
  return std::any_of(problems.list().begin(), problems.list().end(), [&](const Problem& p) {
    return p.where == where && p.what.find(part) != std::string::npos;
  });
}

/// kWhole with one piece of text replaced.
std::string with(const std::string& from, const std::string& to) {
  return replaced(kWhole, from, to);
}

}  // namespace

TEST_SUITE("models/architecture") {
  TEST_CASE("a whole architecture is read without a problem") {
    Problems problems;
    const Architecture a = read(kWhole, problems);
    CHECK(problems.empty());
    CHECK(a.query_width() == 64);
    CHECK(a.kv_width() == 32);
    CHECK(a.gated());
    CHECK(a.rotary_fraction == 1.0);
  }

  TEST_CASE("every zoo entry loads, has its file's name and names its source") {
    const std::vector<std::string> names = architecture_names();
    CHECK(std::is_sorted(names.begin(), names.end()));
    CHECK(names.size() >= 40);
    for (const std::string& name : names) {
      CAPTURE(name);
      const Architecture a = load_architecture(name);
      CHECK(a.name == name);
      CHECK(!a.family.empty());
      CHECK(a.source.contains("all"));
    }
  }

  TEST_CASE("an unknown model is refused with the nearest name") {
    try {
      static_cast<void>(load_architecture("lama3-8b"));
      FAIL("loaded");
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "there is no model \"lama3-8b\"");
      CHECK(e.hint() == "did you mean llama3-8b?");
      CHECK(e.code() == ExitCode::wrong);
    }
  }

  TEST_CASE("all mistakes of an architecture are reported together, with their paths") {
    Problems problems;
    read(
        R"({"name": "small", "layers": -1, "hiden": 64, "heads": 4, "kv_heads": 3, "head_dim": 16, "ffn": 1.5,
             "vocab": 1000, "activation": "swigloo", "position": "learned", "norm": "rms_norm",
             "tied_embeddings": 1, "linear_bias": false})",
        problems);
    CHECK(reports(problems, "/layers", "-1"));
    CHECK(reports(problems, "/hidden", "missing"));
    CHECK(reports(problems, "/hiden", "hidden"));
    CHECK(reports(problems, "/kv_heads", "3 does not divide heads, 4"));
    CHECK(reports(problems, "/ffn", "1.5"));
    CHECK(reports(problems, "/activation", "swiglu"));
    CHECK(reports(problems, "/max_positions", "learned positions need their table's length"));
    CHECK(reports(problems, "/tied_embeddings", "1"));
  }

  TEST_CASE("a position table without learned positions is a problem") {
    Problems problems;
    read(with("\"vocab\": 1000", "\"vocab\": 1000, \"max_positions\": 2048"), problems);
    CHECK(reports(problems, "/max_positions", "only learned positions have a table"));
  }

  TEST_CASE("a rotary share without rotary positions is a problem") {
    Problems problems;
    read(with("\"rotary\"", "\"alibi\", \"rotary_fraction\": 0.5"), problems);
    CHECK(reports(problems, "/rotary_fraction", "not rotary"));
  }

  TEST_CASE("evidence and sources are refused for what is no field") {
    Problems problems;
    read(with("\"vocab\": 1000", R"("vocab": 1000, "evidence": {"width": "published"})"), problems);
    CHECK(reports(problems, "/evidence/width", "no field"));
  }

  TEST_CASE("a base gives every field that is not replaced") {
    Problems problems;
    const Architecture a = read(
        R"({"base": "llama3-405b", "name": "four layers", "layers": 4, "kv_heads": 16})", problems);
    CHECK(problems.empty());
    CHECK(a.name == "four layers");
    CHECK(a.layers == 4);
    CHECK(a.kv_heads == 16);
    CHECK(a.hidden == 16384);
    CHECK(a.activation == Activation::swiglu);
  }

  TEST_CASE("replacing the positions of a base drops what only the old ones had") {
    Problems problems;
    CHECK(read(R"({"base": "gpt3-175b", "position": "alibi"})", problems).max_positions == 0);
    CHECK(read(R"({"base": "nemotron4-15b", "position": "none"})", problems).rotary_fraction ==
          0.0);
    CHECK(read(R"({"base": "gpt3-175b", "position": "rotary"})", problems).rotary_fraction == 1.0);
    CHECK(problems.empty());
  }

  TEST_CASE("an unknown base is a problem that names the nearest") {
    Problems problems;
    read(R"({"base": "lama3-405b"})", problems);
    CHECK(reports(problems, "/base", "did you mean llama3-405b?"));
  }

  TEST_CASE("a field has its own evidence, else that of all, else published") {
    Architecture a;
    CHECK(a.evidence_of("vocab") == Evidence::published);
    a.evidence["all"] = Evidence::derived;
    a.evidence["ffn"] = Evidence::assumed;
    CHECK(a.evidence_of("vocab") == Evidence::derived);
    CHECK(a.evidence_of("ffn") == Evidence::assumed);
  }
}

}  // namespace forerun::models
