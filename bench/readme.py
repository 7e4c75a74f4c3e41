"""Writes the tables of README.md and of the project's README.md, and the pictures in plots/, from what is in results/.
No number is typed by hand."""

import re
import sys
import textwrap
from collections import defaultdict

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from measure import BENCH, OUT, QUICK, load, median  # noqa: E402

PLOTS = OUT / "plots"
ALGS = ("RS256", "ES256")
COLOURS = {"identety": "#0b6e99", "identety-cache": "#6bb7d6", "oidc-provider": "#d98324", "authlib": "#8a6fb0",
           "glewlwyd": "#7a7a7a", "glewlwyd-memory": "#b0b0b0", "openauth": "#d98324"}


def number(value, unit=""):
    """Three significant digits, or whole."""
    if value >= 100:
        text = f"{value:,.0f}".replace(",", " ")
    else:
        text = f"{value:.3g}" if value < 1 or value >= 10 else f"{value:.2f}"
    return text + (f" {unit}" if unit else "")


def table(heads, rows, left=1):
    lines = ["| " + " | ".join(heads) + " |",
             "|" + "|".join("---" if at < left else "---:" for at in range(len(heads))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


class Service:
    """What the rounds of the service benchmark found."""

    def __init__(self):
        self.data = load("service")
        self.labels = self.data["labels"]
        self.groups = defaultdict(list)
        for run in self.data["pinned"]:
            self.groups[run["alg"], run["connections"], run["server"]].append(run)
        self.servers = list(dict.fromkeys(run["server"] for run in self.data["pinned"]))
        self.connections = sorted({run["connections"] for run in self.data["pinned"]})

    def values(self, alg, connections, server, member):
        return [run[member] for run in self.groups[alg, connections, server]]

    def starts(self, server):
        return [start["ms"] for start in self.data["starts"] if start["server"] == server]

    def typical(self, *key):
        return median(self.values(*key))

    def ratio(self, alg, connections, server, member):
        """The peer's value over ours in the same round: the median of the rounds."""
        ours = self.values(alg, connections, "identety", member)
        theirs = self.values(alg, connections, server, member)
        return median([their / our for their, our in zip(theirs, ours)])


def spread(values, unit=""):
    return f"{number(median(values), unit)} ({number(min(values))}–{number(max(values))})"


def service_tables():
    service = Service()
    parts = []
    for alg in ALGS:
        rows = []
        for connections in service.connections:
            for server in service.servers:
                def of(member):
                    return service.values(alg, connections, server, member)
                ratios = ("1", "1") if server == "identety" else tuple(
                    f"{service.ratio(alg, connections, server, member):.2f}" for member in ("rps", "cpu_ms"))
                rows.append([str(connections), service.labels[server], spread(of("rps")), ratios[0],
                             *(number(median(of(member))) for member in ("p50_ms", "p95_ms", "p99_ms")),
                             spread(of("cpu_ms")), ratios[1], number(median(of("mib")))])
        heads = ["connections", "server", "tokens/s", "× ours", "p50 ms", "p95 ms", "p99 ms", "CPU ms a token",
                 "× ours", "MiB"]
        parts.append(f"**{alg}**\n\n{table(heads, rows, 2)}")
    return "\n\n".join(parts)


def starts_table():
    service = Service()
    rows = [[service.labels[server], spread(service.starts(server))] for server in service.servers]
    return table(["server", "start → first token, ms"], rows)


def all_cores_table():
    data = load("service")
    groups = defaultdict(list)
    for run in data["all_cores"]:
        groups[run["alg"], run["server"]].append(run)
    rows = [[alg, data["labels"][server], spread([run["rps"] for run in runs]),
             number(median([run["p99_ms"] for run in runs])), number(median([run["cpu_ms"] for run in runs])),
             f"{median([run['rps'] * run['cpu_ms'] / 1000 for run in runs]):.2f}",
             number(median([run["mib"] for run in runs]))]
            for (alg, server), runs in sorted(groups.items(), key=lambda item: ALGS.index(item[0][0]))]
    return table(["signature", "server", "tokens/s", "p99 ms", "CPU ms a token", "cores used", "MiB"], rows, 2)


FLOORS = [
    ("sign/RS256 JWT", ["sign/RS256 bare"], "a JWT signed with RS256", "the bare signature"),
    ("sign/ES256 JWT", ["sign/ES256 bare"], "a JWT signed with ES256", "the bare signature"),
    ("sign/RS256 first of a key", ["sign/RS256 bare"], "RS256, the first signature with a key", "the bare signature"),
    ("sign/ES256 first of a key", ["sign/ES256 bare"], "ES256, the first signature with a key", "the bare signature"),
    ("sign/RS256 with the key parsed anew", ["sign/RS256 bare"], "RS256, the key parsed anew for each signature",
     "the bare signature"),
    ("authenticate/read of the client", [], "the client read from the store (`serve`'s)", "—"),
    ("authenticate/cold", ["hash/generated bare"], "client authentication, cold", "the bare hash"),
    ("authenticate/remembered", ["authenticate/read of the client"], "client authentication, remembered",
     "the read of the client"),
    ("authenticate/remembered, client kept", [], "client authentication, remembered, ClientCacheSeconds on", "—"),
    ("request/client_credentials RS256", ["sign/RS256 bare"], "client_credentials, RS256", "one signature"),
    ("request/client_credentials ES256", ["sign/ES256 bare"], "client_credentials, ES256", "one signature"),
    ("request/client_credentials RS256, client kept", ["sign/RS256 bare"],
     "client_credentials, RS256, ClientCacheSeconds on", "one signature"),
    ("request/client_credentials ES256, client kept", ["sign/ES256 bare"],
     "client_credentials, ES256, ClientCacheSeconds on", "one signature"),
    ("request/code RS256", ["sign/RS256 bare"] * 2, "code redeemed, RS256", "two signatures"),
    ("request/code ES256", ["sign/ES256 bare"] * 2, "code redeemed, ES256", "two signatures"),
    ("request/refresh RS256", ["sign/RS256 bare"] * 2, "refresh, RS256", "two signatures"),
    ("request/refresh ES256", ["sign/ES256 bare"] * 2, "refresh, ES256", "two signatures"),
]


def in_process_table():
    data = load("in_process")
    rows = []
    for name, floors, label, floor_label in FLOORS:
        it = data[name]
        floor = sum(data[floor]["median"] for floor in floors)
        beyond = [number(floor), number(it["median"] - floor)] if floors else ["", ""]
        rows.append([label, number(it["median"]), f"{number(it['q1'])}–{number(it['q3'])}", floor_label, *beyond])
    hashes = [[f"argon2id, {label}", number(data[name]["median"]),
               f"{number(data[name]['q1'])}–{number(data[name]['q3'])}", "is one", "", ""]
              for name, label in (("hash/generated bare", "512 KiB, one pass (secrets that the server made)"),
                                  ("hash/chosen bare", "19 MiB, two passes (what people chose)"))]
    signatures = sum(name.startswith("sign/") for name, *_ in FLOORS)
    return table(["what", "median µs", "middle half", "its floor", "floor µs", "beyond it"], rows[:signatures] + hashes + rows[signatures:])


LAMBDA_LABELS = {"openauth ES256": "openauth on aws-lambda-ric, ES256",
                 "floor": "the floor: AWS's runtime client and SDK, the same calls"}


WHOLE_CORE = 1769
"""The megabytes that come with a core on Lambda."""


def lambda_rows(data, memory_mb):
    return [entry for entry in data if entry["memory_mb"] == memory_mb and entry["warm_ms"]]


def lambda_tables():
    data = load("lambda")
    parts = []
    for memory_mb, title in ((WHOLE_CORE, "A whole core"), (512, "0.29 of a core: what 512 MB of memory get")):
        rows = [[LAMBDA_LABELS.get(entry["name"], entry["name"]), pair(entry["init_ms"]), number(entry["init_cpu_ms"]["median"]),
                 pair(entry["first_ms"]), pair(entry["warm_ms"]), number(entry["warm_ms"]["p95"]), number(entry["warm_cpu_ms"]["median"]),
                 number(entry["resident_kib"]["median"] / 1024), str(entry["starts"])]
                for entry in lambda_rows(data, memory_mb)]
        if rows:
            heads = ["function", "start → `next`, ms", "CPU ms of it", "first request, ms", "warm request, ms", "p95",
                     "CPU ms warm", "MiB", "starts"]
            parts.append(f"**{title}**\n\n{table(heads, rows)}")
    rows = [[entry["name"], number(entry["bytes"] / 1e6), pair(entry["init_ms"]),
             number(entry["init_calls"]["median"]), number(entry["idle_resident_kib"]["median"] / 1024)]
            for entry in data if entry["memory_mb"] == WHOLE_CORE and "kept" not in entry["name"] and "RS256" not in entry["name"]]
    for row in rows:
        row[0] = {"token ES256": "TokenFunction", "openauth ES256": "openauth (its bundle alone)"}.get(row[0], row[0])
    heads = ["function", "MB, stripped", "start → `next`, ms", "calls before", "MiB then"]
    parts.append(f"**All functions**\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def size_table():
    data = load("size")
    parts = sorted(data["functions_and_tables"].items(), key=lambda part: -part[1])
    parts += [("unwinding, for a panic must not end the process", data["unwinding"]),
              ("relocations, for the program may be loaded anywhere", data["relocations"])]
    return table(["part of TokenFunction", "MB"], [[name, number(size / 1e6)] for name, size in parts])


def pair(values):
    return f"{number(values['median'])} ({number(values['q1'])}–{number(values['q3'])})"


def scale_table():
    data = load("scale")
    rows = []
    for registry in data["registries"]:
        runs = [run for run in data["runs"] if run["clients"] == registry["clients"]]
        rows.append([f"{registry['clients']:,}".replace(",", " "), spread([run["p50_ms"] for run in runs]),
                     number(median([run["p99_ms"] for run in runs])), spread([run["cpu_ms"] for run in runs]),
                     number(registry["start_mib"]), number(median([run["mib"] for run in runs])),
                     number(registry["first_ms"]), number(registry["store_mib"])])
    heads = ["clients", "p50 ms", "p99 ms", "CPU ms a token", "MiB at the start", "MiB under load",
             "start → first token, ms", "store, MiB"]
    return table(heads, rows)


def budgets():
    """Each budget beside what was measured."""
    service, shapes, bare = Service(), {(e["name"], e["memory_mb"]): e for e in load("lambda")}, load("in_process")
    rows = []

    def row(what, limit, value, unit, floor=None):
        rows.append([what, f"{limit:g} {unit}", number(value, unit), "met" if value <= limit else "**not met**",
                     number(floor, unit) if floor else ""])

    read = bare["authenticate/read of the client"]["median"] / 1000
    answer = median([run["cpu_ms"] for run in service.data["documents"]])

    for server, limits in (("identety", (0.90, 0.25)), ("identety-cache", (0.72, 0.08))):
        for alg, limit in zip(ALGS, limits):
            if server in service.servers:
                value = median([service.typical(alg, connections, server, "cpu_ms") for connections in (8, 32)])
                row(f"`serve`, client_credentials, {alg}{', ClientCacheSeconds 60' if 'cache' in server else ''}: "
                    "CPU a token", limit, value, "ms",
                    answer + bare[f"sign/{alg} bare"]["median"] / 1000 + (0 if "cache" in server else read))
    # The same as shares of what oidc-provider takes in the same run, as it was when the budgets were set: 1.06 and 0.39 ms.
    for server, limits in (("identety", (0.85, 0.64)), ("identety-cache", (0.68, 0.21))):
        for alg, limit in zip(ALGS, limits):
            values = [1 / service.ratio(alg, connections, "oidc-provider", "cpu_ms") if server == "identety" else
                      service.typical(alg, connections, server, "cpu_ms")
                      / service.typical(alg, connections, "oidc-provider", "cpu_ms") for connections in (8, 32)]
            row(f"`serve`, {alg}{', ClientCacheSeconds 60' if 'cache' in server else ''}: CPU a token beside oidc-provider's",
                limit, median(values), "×")
    for alg in ALGS:
        shape, signature = shapes[f"token {alg}", WHOLE_CORE], bare[f"sign/{alg} bare"]["median"] / 1000
        floor = shapes["floor", WHOLE_CORE]
        start, cpu, first, warm = (floor[f"{what}_ms"]["median"] for what in ("init", "init_cpu", "first", "warm"))
        # In a process's first request the secret is hashed, and the library gets the key ready.
        first += (bare["hash/generated bare"]["median"] + bare[f"sign/{alg} first of a key"]["median"]) / 1000 - signature
        row(f"Lambda, {alg}: start → first `next`", 5, shape["init_ms"]["median"], "ms", start)
        row(f"Lambda, {alg}: CPU of that", 5, shape["init_cpu_ms"]["median"], "ms", cpu)
        row(f"Lambda, {alg}: first request beyond the signature", 2, shape["first_ms"]["median"] - signature, "ms", first)
        row(f"Lambda, {alg}: warm request beyond the signature", 0.4, shape["warm_ms"]["median"] - signature, "ms", warm)
    largest = max(shapes.values(), key=lambda e: e["resident_kib"]["median"] if "token" in e["name"] else 0)
    row("Lambda: resident memory, the largest", 24, largest["resident_kib"]["median"] / 1024, "MiB")
    largest = max((e["bytes"], e["name"]) for e in shapes.values() if "Function" in e["name"] or "token" in e["name"])
    row(f"Lambda: size, stripped, the largest ({largest[1].split(',')[0]})", 10, largest[0] / 1e6, "MB")
    return table(["budget", "at most", "measured", "", "floor here"], rows)


COMPARED = {
    "identety": "`identety serve`: secrets hashed, client read for each token",
    "identety-cache": "the same with `--client-cache-seconds 60`",
    "oidc-provider": "oidc-provider 9, in memory, secrets in the clear",
    "authlib": "Authlib on Flask and gunicorn",
    "glewlwyd": "glewlwyd on SQLite, which writes each token down",
    "glewlwyd-memory": "the same with its database in memory",
}


def comparison():
    """What the project's README.md shows of it."""
    service, rows = Service(), []
    for server, what in COMPARED.items():
        def both(member):
            rs256, es256 = (number(service.typical(alg, 8, server, member)) for alg in ALGS)
            return f"{rs256} ({es256})"
        mib = max(service.typical(alg, 8, server, "mib") for alg in ALGS)
        rows.append([what, both("rps"), both("cpu_ms"), f"{mib:.0f}", f"{median(service.starts(server)):.0f}"])
    heads = ["RS256 (ES256), 8 connections", "tokens a second", "CPU ms a token", "MiB resident", "start to first token, ms"]
    shapes = {entry["name"]: entry for entry in load("lambda") if entry["memory_mb"] == WHOLE_CORE}

    def shape(name):
        start, first, warm = (number(shapes[name][what]["median"]) for what in ("init_ms", "first_ms", "warm_ms"))
        mib = shapes[name]["resident_kib"]["median"] / 1024
        return f"{start} ms from its start to its first request, which takes {first}; {warm} for each further one; {mib:.0f} MiB"

    ours, theirs = shape("token ES256"), shape("openauth ES256")
    functions = (f"As a Lambda function on an emulated Runtime API, ES256: {ours}. "
                 f"OpenAuth on AWS's Node runtime client: {theirs}.")
    return f"{table(heads, rows)}\n\n{textwrap.fill(functions, 125)}"


def machine():
    it = load("machine")
    versions = ", ".join(f"{name} {version.removeprefix(name).strip()}" for name, version in it["versions"].items())
    note = " **A quick run, on a machine that did other things too: for trying this out, not for quoting.**" \
        if it["quick"] else ""
    if it["note"]:
        note += f" **{it['note']}**"
    return (f"Measured on {it['date']} at commit {it['commit']}: {it['cpu']} (family {it['cpu_family']}, model "
            f"{it['cpu_model']}), {it['cores']} cores of a virtual machine ({it['hypervisor']}), "
            f"{it['memory_gib']:.0f} GiB, Linux {it['kernel'].split('-')[0]}.{note}\n\nVersions: {versions}.")


def style():
    plt.rcParams.update({
        "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "figure.facecolor": "white",
        "axes.facecolor": "white", "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "grid.color": "#e4e4e4", "axes.axisbelow": True, "legend.frameon": False, "svg.hashsalt": "identety",
    })


def write(figure, name):
    PLOTS.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
    if len(sys.argv) > 1:
        figure.savefig(f"{sys.argv[1]}/{name}.png", dpi=80)
    plt.close(figure)


def colour(server):
    return COLOURS.get(server, COLOURS.get(re.sub(r"-\d+$", "", server), "#999999"))


def plot_service():
    service = Service()
    figure, axes = plt.subplots(2, 2, figsize=(9, 5.2), sharey=True)
    for row, alg in zip(axes, ALGS):
        for axis, member, title in zip(row, ("rps", "cpu_ms"), ("tokens per second, one core", "CPU ms per token")):
            names = service.servers[::-1]
            all_values = [service.values(alg, 8, server, member) for server in names]
            middles = [median(values) for values in all_values]
            around = [[middle - min(values) for middle, values in zip(middles, all_values)],
                      [max(values) - middle for middle, values in zip(middles, all_values)]]
            bars = axis.barh([service.labels[server] for server in names], middles, xerr=around,
                             color=[colour(server) for server in names], error_kw={"ecolor": "#333333", "capsize": 2})
            axis.bar_label(bars, [number(middle) for middle in middles], padding=5, fontsize=9)
            axis.set_title(f"{alg}: {title}", loc="left", fontsize=10)
            axis.grid(axis="y", visible=False)
            axis.set_xlim(0, max(max(values) for values in all_values) * 1.18)
    figure.suptitle("client_credentials, 8 connections; median, least and most of the rounds", fontsize=11)
    write(figure, "service")


def plot_latency():
    service = Service()
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, alg in zip(axes, ALGS):
        for server in service.servers:
            for member, line in (("p50_ms", "-"), ("p99_ms", "--")):
                values = [service.typical(alg, connections, server, member) for connections in service.connections]
                axis.plot(service.connections, values, line, marker="o", markersize=3, color=colour(server),
                          label=service.labels[server] if line == "-" else None)
        axis.set(xscale="log", yscale="log", xlabel="connections", title=f"{alg}: p50 (solid) and p99 (dashed)")
        axis.set_xticks(service.connections, [str(count) for count in service.connections])
        axis.minorticks_off()
    axes[0].set_ylabel("latency, ms")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    figure.subplots_adjust(bottom=0.3)
    PLOTS.mkdir(parents=True, exist_ok=True)
    figure.tight_layout(rect=(0, 0.14, 1, 1))
    figure.savefig(PLOTS / "latency.svg", metadata={"Date": None})
    if len(sys.argv) > 1:
        figure.savefig(f"{sys.argv[1]}/latency.png", dpi=80)
    plt.close(figure)


def plot_in_process():
    data = load("in_process")
    shown = [entry for entry in FLOORS if entry[1]]
    figure, axis = plt.subplots(figsize=(9, 4.4))
    labels = [label for _, _, label, _ in shown][::-1]
    floors = [sum(data[floor]["median"] for floor in entry[1]) for entry in shown][::-1]
    totals = [data[entry[0]]["median"] for entry in shown][::-1]
    beyond = [max(total - floor, 0) for total, floor in zip(totals, floors)]
    axis.barh(labels, floors, color="#b9c4cb", label="floor: the bare signatures or the bare hash")
    bars = axis.barh(labels, beyond, left=floors, color=COLOURS["identety"], label="everything else")
    axis.bar_label(bars, [number(total) for total in totals], padding=4, fontsize=9)
    axis.set(xlabel="µs", title="In process: what is unavoidable, and what comes on top")
    axis.grid(axis="y", visible=False)
    axis.legend(loc="upper right")
    axis.set_xlim(0, max(totals) * 1.1)
    write(figure, "in-process")


def plot_lambda():
    data = load("lambda")
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    for axis, memory_mb, title in zip(axes, (WHOLE_CORE, 512), ("a whole core", "0.29 of a core (512 MB)")):
        entries = {entry["name"]: entry for entry in lambda_rows(data, memory_mb)}
        for at, (name, label) in enumerate((("openauth ES256", "openauth"), ("token ES256", "identety"))):
            if name not in entries:
                continue
            for offset, member, shade in ((0.26, "init_ms", 1), (0, "first_ms", 0.7), (-0.26, "warm_ms", 0.4)):
                value = entries[name][member]["median"]
                axis.barh(at + offset, value, 0.24, color=colour(label), alpha=shade)
                words = {"init_ms": "start → next", "first_ms": "first request", "warm_ms": "warm request"}[member]
                axis.text(value * 1.08, at + offset, f"{number(value)} ms  {words}", va="center", fontsize=8)
        axis.set(xscale="log", xlabel="ms", title=f"ES256, {title}")
        axis.set_yticks([0, 1], ["openauth", "identety"])
        axis.grid(axis="y", visible=False)
        axis.set_xlim(0.05, 20_000)
    write(figure, "lambda")


def plot_scale():
    data = load("scale")
    sizes = [registry["clients"] for registry in data["registries"]]
    runs = [[run for run in data["runs"] if run["clients"] == size] for size in sizes]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3))
    for member, line, label in (("p50_ms", "-", "p50"), ("p99_ms", "--", "p99")):
        values = [median([run[member] for run in group]) for group in runs]
        axes[0].plot(sizes, values, line, marker="o", color=COLOURS["identety"], label=label)
    axes[0].set(ylabel="latency, ms", title="A token, one connection")
    axes[0].legend()
    axes[1].plot(sizes, [registry["start_mib"] for registry in data["registries"]], "--", marker="o",
                 color=COLOURS["identety"], label="at the start")
    axes[1].plot(sizes, [median([run["mib"] for run in group]) for group in runs], "-", marker="o",
                 color=COLOURS["identety"], label="under load")
    axes[1].set(ylabel="resident, MiB", title="Memory of serve")
    axes[1].legend()
    for axis in axes:
        axis.set(xscale="log", xlabel="registered clients")
        axis.set_xticks(sizes, [f"{size // 10**6} M" if size >= 10**6 else f"{size // 1000} k" if size >= 1000 else str(size)
                               for size in sizes])
        axis.minorticks_off()
        axis.set_ylim(0, axis.get_ylim()[1] * 1.15)
    write(figure, "scale")


def fill(source, target, blocks):
    """Writes each block between its marks."""
    text = source.read_text(encoding="utf-8")
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: generated by readme.py -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{block()}\n{end}{rest.split(end)[1]}"
    target.write_text(text, encoding="utf-8")


def main():
    style()
    blocks = {"machine": machine, "budgets": budgets, "in-process": in_process_table, "service": service_tables,
              "starts": starts_table, "all-cores": all_cores_table, "lambda": lambda_tables, "size": size_table,
              "scale": scale_table}
    fill(BENCH / "README.md", OUT / "README.md", blocks)
    front = BENCH.parent / "README.md"
    fill(front, OUT / "front-page.md" if QUICK else front, {"comparison": comparison})
    for plot in (plot_service, plot_latency, plot_in_process, plot_lambda, plot_scale):
        plot()


if __name__ == "__main__":
    main()
