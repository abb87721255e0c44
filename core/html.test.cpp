#include "core/html.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/html") {
  TEST_CASE("text can't become markup, whatever is in it") {
    CHECK(Markup("<script>alert(\"1\")</script> & 'x'").text() ==
          "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;");
    CHECK(Markup("a\x02z\n").text() == "a\xEF\xBF\xBDz\n");
    CHECK(Markup::raw("<b>x</b>").text() == "<b>x</b>");
  }

  TEST_CASE("a table is well-formed, with a header, numbers to the right and its sum") {
    HtmlTable table({{"what < that", HtmlTable::Align::left}, {"GiB", HtmlTable::Align::right}});
    table.row({"a & b", "1.0"});
    table.last_row({"all", "1.0"});
    const std::string text = table.markup("caption").text();
    CHECK(testing::xml_problem(text) == "");
    CHECK(text.find("<th scope=\"col\">what &lt; that</th>") != std::string::npos);
    CHECK(text.find("<td class=\"number\">1.0</td>") != std::string::npos);
    CHECK(text.find("<tr class=\"sum\">") != std::string::npos);
  }

  TEST_CASE("the checker of well-formed text finds what is wrong") {
    CHECK(testing::xml_problem("<a b=\"1\"><c/></a>") == "");
    CHECK(testing::xml_problem("<a><b></a></b>") != "");
    CHECK(testing::xml_problem("<a b=1></a>") != "");
    CHECK(testing::xml_problem("<a b=\"1\" b=\"2\"></a>") != "");
    CHECK(testing::xml_problem("<a>x & y</a>") != "");
    CHECK(testing::xml_problem("<a>&nbsp;</a>") != "");
    CHECK(testing::xml_problem("<a>") != "");
    CHECK(testing::xml_problem("<a>\x01</a>") != "");
  }
}

}  // namespace
}  // namespace forerun
