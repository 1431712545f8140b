"""Holds bench_gpu against its ceilings and its peers: table.py gpu.json [peers.json] > table.md"""

import json
import sys


def target_of(row, peers):
    """What the row should reach, and what it reached of it; the ceilings are the higher of those in the same run."""
    if row["dtype"] == "bf16":
        if row["heads"] <= 32 and row["batch"] == 128:
            return "0.85 of copy", row["gb_s"] / (0.85 * peers["copy"])
        if row["heads"] == 128 and row["batch"] >= 32:
            return "450 TFLOP/s", row["tflop_s"] / 450
    elif row["batch"] == 128:
        if row["heads"] == 16:
            return "0.6 of copy", row["gb_s"] / (0.6 * peers["copy"])
        if row["heads"] == 128:
            return "300 TFLOP/s", row["tflop_s"] / 300
    return "", None


def main():
    with open(sys.argv[1]) as file:
        ours = json.load(file)
    peers = {"workloads": [], "ceilings": {}}
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as file:
            peers = json.load(file)
    copy = max(ours["copy_gb_s"], ours["copy_gb_s_after"], peers["ceilings"].get("copy_gb_s", 0))
    beside = {row["name"]: row for row in peers["workloads"]}
    print(f"{ours['device']}: copy {copy:.0f} GB/s (bytes read and written), fp32 {ours['fp32_tflop_s']:.0f}, "
          f"matrix units {ours['matrix_tflop_s']:.0f} TFLOP/s", end="")
    if "bf16_tflop_s" in peers["ceilings"]:
        print(f", bf16 product {peers['ceilings']['bf16_tflop_s']:.0f} TFLOP/s (PyTorch {peers['torch']}, Triton {peers['triton']})")
    else:
        print("; the peers were not measured")
    print("\n| workload | kernel | ms (10 % … 90 %) | GB/s | of copy | TFLOP/s | target | reached | einsum | sdpa | Triton |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for row in ours["workloads"]:
        if "refusal" in row:
            print(f"| {row['name']} | {row['refusal']} |" + " |" * 9)
            continue
        target, reached = target_of(row, {"copy": copy})
        cells = []
        for peer in ("einsum", "sdpa", "triton"):
            ms = beside.get(row["name"], {}).get(peer)
            cells.append(f"{ms / row['median_ms']:.1f}x" if isinstance(ms, float) else (ms or ""))
        spread = f"{row['median_ms']:.4f} ({row['low_ms']:.4f} … {row['high_ms']:.4f})"
        print(f"| {row['name']} | {row['kernel']} | {spread} | {row['gb_s']:.0f} | {row['gb_s'] / copy:.2f} | "
              f"{row['tflop_s']:.0f} | {target} | {'' if reached is None else f'{reached:.2f}'} | " + " | ".join(cells) + " |")
    if "bundled_us_per_layer_step" in ours:
        print(f"\nBundled model, batch 1, rows of all layers: {ours['bundled_us_per_layer_step']:.1f} µs a layer and step "
              "(target 60)")
    else:
        print(f"\nBundled model: {ours['bundled_refusal']}")


if __name__ == "__main__":
    main()
