// forerun import and forerun list models, from end to end.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

/// Four experts, of which a token uses two. Matrices: two layers of 64 (2 x 64 + 2 x 32) = 12,288,
/// a router of 64 x 4 and experts of 3 x 64 x 128 = 24,576; ends 2 x 100 x 64 = 12,800; with norms
/// of 5 x 64 = 320: 234,816, and 136,512 with two experts a layer.
const std::string kConfig =
    R"({"model_type": "mixtral", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128,
        "vocab_size": 100, "hidden_act": "silu", "num_local_experts": 4,
        "num_experts_per_tok": 2, "rope_theta": 1000000.0, "rms_norm_eps": 1e-05})";
const std::string kTold =
    "tiny: 234,816 parameters, of which a token uses 136,512\n"
    "assumed: /tie_word_embeddings: absent; false, the class's default\n"
    "ignored, as nothing of the shape:\n  /rope_theta, /rms_norm_eps\n";

TEST_SUITE("cli, import") {
  TEST_CASE("the model is all of standard output, what was taken and ignored is beside it") {
    const Folder folder;
    const Ran r = forerun({"import", folder.file("tiny.json", kConfig)});
    CHECK(r.code == 0);
    CHECK(r.err == kTold);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    CHECK(top.text("name") == "tiny");
    CHECK(top.integer("layers", 1, 100) == 2);
    CHECK(top.object("experts").integer("top_k", 1, 100) == 2);
    CHECK(top.object("evidence").text("tied_embeddings") == "assumed");
    CHECK(problems.empty());
    CHECK(forerun({"import", folder.path("tiny.json"), "--json", "-"}).out == r.out);
  }

  TEST_CASE(
      "-o writes the same model to a file, which check accepts, and leaves nothing beside it") {
    const Folder folder;
    const std::string config = folder.file("tiny.json", kConfig);
    const std::string printed = forerun({"import", config}).out;
    for (const char* flag : {"-o", "--output", "--json"}) {
      CAPTURE(flag);
      const Folder target;
      const Ran r = forerun({"import", config, flag, target.path("tiny.json")});
      CHECK(r.code == 0);
      CHECK(r.out.empty());
      CHECK(r.err == kTold);
      CHECK(read_file(target.path("tiny.json"), kMaxJsonBytes) == printed);
      int files = 0;
      for (const auto& entry : std::filesystem::directory_iterator(target.path(""))) {
        files += entry.is_regular_file() ? 1 : 0;
      }
      CHECK(files == 1);
      CHECK(forerun({"check", target.path("tiny.json")}).code == 0);
    }
  }

  TEST_CASE("a file that is refused prints no model and leaves the one that was there") {
    const Folder folder;
    const std::string config =
        folder.file("bad.json", R"({"model_type": "lama", "hidden_size": 64})");
    const std::string kept = folder.file("kept.json", "{}");
    const Ran r = forerun({"import", config, "-o", kept});
    CHECK(r.code == 1);
    CHECK(r.out.empty());
    CHECK(r.err == "error: " + config +
                       ": /model_type: \"lama\" is no model type that is known: did you mean "
                       "llama?\n");
    CHECK(read_file(kept, kMaxJsonBytes) == "{}");
  }

  TEST_CASE("a config.json has its folder's name") {
    const Folder folder;
    std::filesystem::create_directory(folder.path("Tiny-2x4"));
    const Ran r = forerun({"import", folder.file("Tiny-2x4/config.json", kConfig)});
    CHECK(r.err.starts_with("Tiny-2x4: "));
  }

  TEST_CASE("two places for one model are wrong usage") {
    const Folder folder;
    const Ran r = forerun({"import", folder.file("tiny.json", kConfig), "-o", folder.path("a.json"),
                           "--json", folder.path("b.json")});
    CHECK(r.code == 2);
    CHECK(r.out.empty());
    CHECK_FALSE(std::filesystem::exists(folder.path("a.json")));
    CHECK_FALSE(std::filesystem::exists(folder.path("b.json")));
  }
}

TEST_SUITE("cli, list models") {
  TEST_CASE("programs read family, kind and shape of every model, families together") {
    Problems problems;
    const JsonDocument document =
        JsonDocument::parse(forerun({"list", "models", "--json", "-"}).out, problems);
    Reader top = document.root(problems);
    std::string family, kinds;
    for (Reader& m : top.objects("models")) {
      const std::string own = m.text("family");
      CHECK(own != "");
      CHECK(own >= family);
      family = own;
      const std::string name = m.text("name");
      for (const char* asked : {"bloom-3b", "deepseek-v3", "mot-chameleon-443m", "moma-90m-mod"}) {
        if (name == asked) kinds += m.text("kind") + "; ";
      }
      if (name != "deepseek-v3") continue;
      CHECK(m.text("parameters") == "671 B");
      CHECK(m.text("a token uses") == "37.6 B");
      CHECK(m.text("layers") == "61");
      CHECK(m.text("vocabulary") == "129280");
    }
    CHECK(kinds == "dense; experts (58 of 61), latent; depth routing (7 of 14); towers; ");
    CHECK(problems.empty());
  }

  TEST_CASE("people read a family's name once, and no line wider than 160 letters") {
    const std::string text = forerun({"list", "models"}).out;
    const auto first = text.find("\nmixtral ");
    REQUIRE(first != std::string::npos);
    CHECK(text.find("\nmixtral ", first + 1) == std::string::npos);
    std::size_t widest = 0;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from);
      widest = std::max(widest, end - from);
      from = end + 1;
    }
    CHECK(widest <= 160);
  }
}

}  // namespace
}  // namespace forerun::testing
