# Draws scaling.sbatch's table (kind, nodes, ranks, batch, images/s; tabs) as SVG: images/s over nodes, both logarithmic,
# with the line of perfect scaling through the first measurement of each kind.
#   awk -f scaling_plot.awk -v title=TEXT scaling.tsv

BEGIN {
  FS = "\t"; left = 90; right = 610; top = 60; bottom = 380
  colour["strong"] = "#1f77b4"; colour["weak"] = "#d62728"
}
NR > 1 {
  n = ++count[$1]; nodes[$1, n] = $2; rate[$1, n] = $5
  if (!least_nodes || $2 < least_nodes) least_nodes = $2
  if ($2 > most_nodes) most_nodes = $2
  if (!least || $5 < least) least = $5
  if ($5 > most) most = $5
}
function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); return text }
function x_of(value) { return left + 30 + (right - left - 60) * (x_span ? log(value / least_nodes) / x_span : 0.5) }
function y_of(value) { return bottom - (bottom - top) * log(value / low) / log(high / low) }
function text_at(x, y, anchor, text) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, escaped(text)
}
function line(x1, y1, x2, y2, style) {
  printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style
}
END {
  if (!most) exit 1
  for (kind in count) if (rate[kind, 1] * most_nodes / nodes[kind, 1] > most) most = rate[kind, 1] * most_nodes / nodes[kind, 1]
  x_span = log(most_nodes / least_nodes)
  low = least / 1.3; high = most * 1.3
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"450\" font-family=\"sans-serif\" font-size=\"13\">"
  print "<rect width=\"760\" height=\"450\" fill=\"white\"/>"
  text_at(left, 30, "start", title)
  # 1, 2 and 5 times powers of ten.
  for (power = 1e-3; power <= high; power *= 10)
    for (i = 1; i <= 3; ++i) {
      tick = power * (i == 1 ? 1 : i == 2 ? 2 : 5)
      if (tick < low || tick > high) continue
      line(left, y_of(tick), right, y_of(tick), "stroke=\"#dddddd\"")
      text_at(left - 8, y_of(tick) + 4, "end", sprintf("%g", tick))
    }
  for (kind in count)
    for (i = 1; i <= count[kind]; ++i)
      if (!(nodes[kind, i] in seen)) {
        seen[nodes[kind, i]] = 1
        line(x_of(nodes[kind, i]), top, x_of(nodes[kind, i]), bottom, "stroke=\"#dddddd\"")
        text_at(x_of(nodes[kind, i]), bottom + 20, "middle", nodes[kind, i])
      }
  printf "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"black\"/>\n", left, top, right - left, bottom - top
  text_at((left + right) / 2, bottom + 45, "middle", "nodes")
  printf "<text transform=\"translate(25 %d) rotate(-90)\" text-anchor=\"middle\">images/s</text>\n", (top + bottom) / 2
  legend = top + 10
  for (k = 1; k <= 2; ++k) {
    kind = k == 1 ? "strong" : "weak"
    if (!count[kind]) continue
    style = "stroke=\"" colour[kind] "\" stroke-width=\"2\""
    for (i = 1; i <= count[kind]; ++i) {
      x = x_of(nodes[kind, i]); y = y_of(rate[kind, i])
      printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x, y, colour[kind]
      if (i > 1) line(x_of(nodes[kind, i - 1]), y_of(rate[kind, i - 1]), x, y, style)
    }
    line(x_of(nodes[kind, 1]), y_of(rate[kind, 1]), x_of(most_nodes), y_of(rate[kind, 1] * most_nodes / nodes[kind, 1]), "stroke=\"" colour[kind] "\" stroke-dasharray=\"5 4\"")
    line(right + 15, legend, right + 45, legend, style); text_at(right + 52, legend + 4, "start", kind); legend += 20
    line(right + 15, legend, right + 45, legend, "stroke=\"" colour[kind] "\" stroke-dasharray=\"5 4\""); text_at(right + 52, legend + 4, "start", "perfect"); legend += 24
  }
  print "</svg>"
}
