"""How a report looks, light and dark, and the few lines of script that draw its figures."""

from typing import Any

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""A browser that reads this asks no other machine for anything, whatever the file holds."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F8894")
"""As those of the dashboard."""


def _theme(text: str, ground: str, grid: str) -> dict[str, Any]:
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zerolinecolor": grid,
        "automargin": True,
        "title": {"font": {"size": 13}},
    }
    return {
        "layout": {
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": text},
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "colorway": list(COLOURS),
            "hoverlabel": {"bgcolor": ground, "bordercolor": grid, "font": {"color": text}},
            "legend": {"bgcolor": "rgba(0,0,0,0)"},
            "margin": {"t": 40, "b": 48, "l": 8, "r": 16},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
        }
    }


THEMES = {
    "light": _theme("#31333F", "#FFFFFF", "#D5D8DE"),
    "dark": _theme("#FAFAFA", "#0E1117", "#3A3F4B"),
}

STYLE = """
:root { color-scheme: light dark; --text: #31333F; --ground: #FFFFFF; --soft: #5F6673;
  --line: #D5D8DE; --field: #F3F5F8; }
@media (prefers-color-scheme: dark) { :root { --text: #FAFAFA; --ground: #0E1117; --soft: #A9B0BD;
  --line: #3A3F4B; --field: #1A1F29; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 1100px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 28px; margin: 0 0 8px; } h2 { font-size: 19px; margin: 32px 0 8px; }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { white-space: pre-wrap; margin: 8px 0; }
p.note, figcaption, caption { color: var(--soft); font-size: 13px; text-align: left; }
p.warning { border-left: 4px solid #D55E00; padding-left: 12px; }
figure { margin: 24px 0; } .plot { width: 100%; min-height: 120px; }
.wide { overflow-x: auto; margin: 16px 0; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; font-size: 13px; min-width: 100%; }
caption { caption-side: bottom; padding: 6px 10px; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: normal; max-width: 420px; }
th { background: var(--field); white-space: nowrap; }
td { overflow-wrap: break-word; } td.number { text-align: right; white-space: nowrap; }
pre { background: var(--field); border: 1px solid var(--line); border-radius: 4px;
  padding: 10px 12px; white-space: pre-wrap; font-size: 13px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font-size: 13px; }
dt { color: var(--soft); } dd { margin: 0; }
img { min-width: 112px; max-width: min(100%, 512px); height: auto; display: block; margin: 8px 0; }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
"""

SCRIPT = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const themes = JSON.parse(document.getElementById("themes").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function draw() {
  const template = dark.matches ? themes.dark : themes.light;
  for (const [place, figure] of Object.entries(figures)) {
    const layout = {...figure.layout, template, autosize: true};
    const config = {displaylogo: false, responsive: true, modeBarButtons: [["toImage"]],
      toImageButtonOptions: {format: "svg", filename: "pidscope-" + figure.name}};
    Plotly.react(document.getElementById(place), figure.data, layout, config);
  }
}
draw();
dark.addEventListener("change", draw);
"""
