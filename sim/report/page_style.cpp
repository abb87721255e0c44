#include <fmt/format.h>

#include "sim/report/page.h"
#include "sim/report/palette.h"

namespace forerun::sim::report {
namespace {

std::string variables(const char* PageColour::* side) {
  std::string out;
  for (const PageColour& t : kPageTones) out += fmt::format("--{}:{};", t.name, t.*side);
  for (std::size_t i = 0; i < kPictureColours.size(); ++i) {
    out += fmt::format("--c{}:{};", i, kPictureColours[i].*side);
  }
  return out;
}

/// Neither & nor < : the page is XML, too.
constexpr const char* kRules = R"(
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
 -webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:28px 20px 48px;
 display:flex;flex-direction:column;gap:20px}
.pair{display:grid;gap:20px;grid-template-columns:repeat(2,minmax(0,1fr))}
.alone svg{max-width:540px}
.eyebrow{margin:0;color:var(--muted);font-size:13px;letter-spacing:.06em;text-transform:uppercase}
h1{margin:2px 0 8px;font-size:28px;line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 10px;font-size:18px;line-height:1.3}
h3{margin:18px 0 6px;font-size:15px}
p{margin:0 0 10px}
.question{font-size:19px;line-height:1.4;max-width:46em;margin-bottom:6px}
.note,figcaption,.about{color:var(--muted);font-size:14px;line-height:1.45}
.card,.tile{background:var(--paper);border:1px solid var(--grid);border-radius:10px;padding:18px 20px;
 min-width:0}
.card>:last-child,.tile>:last-child,figure>:last-child{margin-bottom:0}
.tiles{display:grid;gap:20px;grid-template-columns:repeat(auto-fit,minmax(min(100%,225px),1fr))}
.tile h2{margin:0;font-size:14px;font-weight:600;color:var(--muted)}
.big{margin:2px 0 4px;font-size:32px;line-height:1.15;font-weight:650;font-variant-numeric:tabular-nums;
 letter-spacing:-.01em}
.big small{white-space:nowrap;font-size:17px;font-weight:500;letter-spacing:0}
.verdict{border-left:5px solid var(--c1)}
figure{margin:0 0 12px}
svg{display:block;width:100%;height:auto;font-family:inherit;font-variant-numeric:tabular-nums}
figcaption{margin-top:6px}
.narrow{display:none}
.name{white-space:nowrap}
.scrolls{overflow-x:auto;margin-bottom:10px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:4px}
th,td{padding:5px 10px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
th:last-child,td:last-child{padding-right:0}
th{font-weight:600;color:var(--muted);vertical-align:bottom}
.number{text-align:right;white-space:nowrap}
tr:last-child td{border-bottom:0}
.sum td{font-weight:650;border-top:2px solid var(--axis)}
td{overflow-wrap:break-word}
.swatch{display:inline-block;width:.8em;height:.8em;margin-right:.5em;border-radius:2px;
 background:var(--s);vertical-align:-.04em}
.swatch.dashed{width:1.2em;margin-right:.1em;height:0;border-radius:0;background:none;
 border-top:2px dashed var(--s);vertical-align:.25em}
td:has(.swatch){padding-left:1.35em;text-indent:-1.35em}
.legend{list-style:none;margin:0 0 10px;padding:0;display:flex;flex-wrap:wrap;gap:2px 18px;font-size:14px}
.list{margin:0 0 10px;padding-left:1.1em;font-size:14px}
.list li{margin-bottom:4px;overflow-wrap:anywhere}
.facts{margin:0 0 10px;font-size:14px}
.facts div{display:grid;grid-template-columns:minmax(8.5em,30%) minmax(0,1fr);gap:2px 12px;padding:5px 0;
 border-bottom:1px solid var(--grid)}
.facts div:last-child{border-bottom:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;overflow-wrap:anywhere}
.tile .facts{margin-top:6px}
.tile .facts div{grid-template-columns:minmax(0,1fr) auto}
.tile .facts dd{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:0 0 10px;padding:12px 14px;border-radius:6px;background:var(--page);white-space:pre-wrap;
 overflow-wrap:anywhere}
.word{display:inline-block;max-width:100%}
.columns{columns:2;column-gap:28px}
.columns h3:first-child{margin-top:4px}
.columns span{color:var(--muted)}
details{margin-bottom:10px}
summary{cursor:pointer;color:var(--accent);font-size:14px;padding:4px 0}
@media (max-width:820px){.pair{grid-template-columns:minmax(0,1fr)}.columns{columns:1}}
@media (max-width:560px){
 main{padding:18px 12px 32px;gap:12px}
 .tiles,.pair{gap:12px}
 .card,.tile{padding:14px}
 h1{font-size:23px}
 .question{font-size:17px}
 .wide svg{min-width:620px}
 .broad{display:none}
 .narrow{display:block}
}
@page{size:A4;margin:13mm 12mm}
@media print{
 *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
 body{background:#fff;font-size:9.5pt}
 table,.facts,.list,.legend,.note,figcaption,.about,caption{font-size:8.5pt}
 .columns .list{font-size:7.5pt}
 .columns{columns:2}
 th,td,.facts div{padding-top:2.5px;padding-bottom:2.5px}
 h2{font-size:12pt;margin-bottom:6px}
 h3{font-size:10pt;margin:10px 0 4px}
 main{display:block;max-width:none;padding:0 1px 0 0}
 header,.tiles,.whole{margin-bottom:10px}
 .card,.tile{border-color:#ccd2d8;border-radius:4px;padding:10px 12px;break-inside:avoid}
 .card.long{break-inside:auto}
 .tiles{gap:8px;grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
 .tile h2{font-size:9pt}
 .pair{gap:10px;margin-bottom:10px;grid-template-columns:repeat(2,minmax(0,1fr));break-inside:avoid}
 h1{font-size:20pt}
 .question{font-size:13pt}
 .big{font-size:17pt}
 .big small{font-size:11pt}
 .about{margin-bottom:4px}
 h2,h3,caption{break-after:avoid}
 tr,li,figure,.facts div{break-inside:avoid}
 thead{display:table-header-group}
 .scrolls{overflow:visible}
 .wide svg{min-width:0}
 .narrow{display:none}
 .broad{display:block}
 details::details-content{content-visibility:visible;block-size:auto}
 summary{color:inherit}
}
)";

}  // namespace

std::string page_style() {
  return fmt::format(
             ":root{{color-scheme:light dark;{}}}\n"
             "@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
             variables(&PageColour::light), variables(&PageColour::dark)) +
         (kRules + 1);
}

}  // namespace forerun::sim::report
