#include "hw/accelerator.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/gemm_surface.h"

TEST_SUITE("hw/accelerator") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static std::string profile(const std::string& name) {
    return read_file(data_path("hw/profiles/accelerators/" + name + ".json"), kMaxJsonBytes);
  }

  /// The text with its first `from` replaced.
  static std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  }

  TEST_CASE("every profile loads, names itself, and says where each number came from") {
    const std::vector<std::string> names = accelerator_names();
    CHECK(names.size() >= 30);
    for (const std::string& name : names) {
      CAPTURE(name);
      const Accelerator a = load_accelerator(name);
      CHECK(a.name == name);
      CHECK((a.gemm.contains(Precision::bf16) || a.gemm.contains(Precision::fp16)));
      CHECK(a.attention.contains(AttentionKernel::cudnn));
      CHECK(a.power.idle < a.power.cap);
      for (const auto& [field, source] : a.source) {
        CAPTURE(field);
        CHECK_FALSE(source.empty());
      }
    }
  }

  TEST_CASE("a surface borrowed from a relative is not the accelerator's own") {
    CHECK(load_accelerator("b200-sxm").gemm.at(Precision::bf16)->own());
    CHECK_FALSE(load_accelerator("b300-sxm").gemm.at(Precision::bf16)->own());
    CHECK_FALSE(load_accelerator("a100-sxm-40gb").gemm.at(Precision::bf16)->own());
  }

  TEST_CASE("the 40 GB A100 differs from the 80 GB one in its memory") {
    const Accelerator small = load_accelerator("a100-sxm-40gb");
    CHECK(small.memory_bandwidth / 1.0_GBps == doctest::Approx(1555));
    CHECK(small.memory < load_accelerator("a100-sxm-80gb").memory);
  }

  TEST_CASE("a missing profile names the nearest") {
    try {
      (void)load_accelerator("h100-sxm-80g");
      FAIL("loaded");
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "no accelerator profile \"h100-sxm-80g\"");
      CHECK(e.hint() == "did you mean h100-sxm-80gb?");
    }
  }

  TEST_CASE("every mistake of a profile is reported with its path") {
    std::string text = profile("h100-sxm-80gb");
    text = with(text, "\"3350 GB/s\"", "\"3350\"");
    text = with(text, "\"precision\": \"bf16\"", "\"precision\": \"bf61\"");
    text = with(text, "\"multiprocessors\"", "\"multiprocesors\"");
    Problems problems;
    CHECK_FALSE(read_accelerator(text, problems));
    const std::string all = problems.text("profile");
    CAPTURE(all);
    CHECK(all.find("/memory_bandwidth/value") != std::string::npos);
    CHECK(all.find("/gemm/bf16/precision") != std::string::npos);
    CHECK(all.find("did you mean \"bf16\"?") != std::string::npos);
    CHECK(all.find("/multiprocessors: missing") != std::string::npos);
    CHECK(all.find("/multiprocesors: unknown key") != std::string::npos);
  }

  TEST_CASE("a number without a source is refused") {
    const std::string text =
        with(profile("h100-sxm-80gb"), "\"evidence\": \"published\"", "\"evidence\": \"heard\"");
    Problems problems;
    CHECK_FALSE(read_accelerator(text, problems));
    CHECK(problems.list().at(0).what.find("expected one of measured, published, fitted") == 0);
  }

  TEST_CASE("a surface file that is not there is a mistake of the profile") {
    const std::string text =
        with(profile("h100-sxm-80gb"), "\"surface\": \"h100-sxm-80gb\"", "\"surface\": \"h101\"");
    Problems problems;
    CHECK_FALSE(read_accelerator(text, problems));
    CHECK(problems.list().at(0).where == "/gemm/bf16/surface");
    CHECK(problems.list().at(0).what == "no surface file \"h101\"");
  }

  TEST_CASE("facts are read without the surfaces") {
    Problems problems;
    const auto a = read_accelerator_facts(profile("h100-sxm-80gb"), problems);
    REQUIRE(a);
    CHECK(a->gemm.empty());
    CHECK(a->multiprocessors == 132);
  }
}
