#!/usr/bin/env python3
"""Writes tests/fixtures/pedpy.json: what PedPy says of real tracks, which tests/it/dense_physics.rs holds Midan's own measures against.

    python3 -m venv /tmp/pedpy && /tmp/pedpy/bin/pip install pedpy==1.5.1
    /tmp/pedpy/bin/python tests/oracles/pedpy_figures.py --data DIR

DIR holds `juelich/` and `madras_lyon/` (the data's own pages: doi 10.34735/ped.2018.1 and doi 10.5281/zenodo.10694866). No track goes into the
fixture, only figures. The one synthetic crowd is written whole, so that a part of the comparison needs no data.
"""
import argparse
import json
import math
import pathlib

import numpy as np
import pandas as pd
import pedpy
import pedpy.methods.method_utils
import shapely

STEP = 5  # frames before and after, for a velocity
RADII = [0.7, 1.0]  # m, of the Gaussian kernel
GRID = 1.5  # m

# The bottleneck of 2018 (PedPy's demonstration data): room, walls, opening of 0.5 m and the way out, as one concave outline.
BOTTLENECK = [[-2.8, 8], [-2.8, 0], [-0.4, 0], [-0.25, -0.15], [-0.25, -1.1], [-3.5, -1.1], [-3.5, -2],
              [3.5, -2], [3.5, -1.1], [0.25, -1.1], [0.25, -0.15], [0.4, 0], [2.8, 0], [2.8, 8]]


def box(x0, y0, x1, y1):
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


CASES = [
    dict(name="bottleneck", file="juelich/juelich_bottleneck_040_c_56_h-.txt.gz", scale=1.0, fps=25.0, zone=BOTTLENECK,
         area=box(-0.4, 0.5, 0.4, 1.3), line=[[0.4, 0.0], [-0.4, 0.0]], cutoff=None, frames=list(range(100, 1500, 100))),
    dict(name="bottleneck with a cut-off", file="juelich/juelich_bottleneck_040_c_56_h-.txt.gz", scale=1.0, fps=25.0, zone=BOTTLENECK,
         area=box(-0.4, 0.5, 0.4, 1.3), line=[[0.4, 0.0], [-0.4, 0.0]], cutoff=[1.0, 3], frames=list(range(150, 1500, 200))),
    dict(name="wide bottleneck", file="juelich/juelich_bot-360-250-250.txt.gz", scale=0.01, fps=16.0, zone=box(-2, -8, 5.5, 8),
         area=box(0.0, -1.0, 3.5, 1.0), line=[[-1.0, -2.0], [5.0, -2.0]], cutoff=[1.0, 3], frames=list(range(200, 1100, 100))),
    dict(name="one-way corridor", file="juelich/juelich_uo-180-180-070.txt.gz", scale=0.01, fps=16.0, zone=box(-1, -8, 3.5, 9),
         area=box(0.0, 0.0, 1.8, 2.0), line=[[-0.5, 1.0], [3.0, 1.0]], cutoff=[1.0, 3], frames=list(range(500, 1700, 150))),
    dict(name="Lyon 1B", file="madras_lyon/Topview_1B.csv.gz", scale=1.0, fps=30.0, zone=box(-7, 0, 5, 7),
         area=box(-4.0, 1.5, 2.0, 5.0), line=[[-1.0, 0.0], [-1.0, 7.0]], cutoff=[1.0, 3], frames=list(range(20, 290, 30))),
    dict(name="Lyon 2C", file="madras_lyon/Topview_2C.csv.gz", scale=1.0, fps=30.0, zone=box(-7, 0, 5, 7),
         area=box(-4.0, 1.5, 2.0, 5.0), line=[[-1.0, 0.0], [-1.0, 7.0]], cutoff=[1.0, 3], frames=list(range(20, 290, 30))),
]


def synthetic():
    """Sixty persons on a bent lattice who drift: written out whole."""
    rows = []
    for frame in range(0, 21):
        for k in range(60):
            x = 0.55 + (k % 10) * 0.9 + 0.21 * math.sin(k * 1.7) + 0.02 * frame * math.cos(k * 0.3)
            y = 0.6 + (k // 10) * 0.95 + 0.19 * math.cos(k * 2.3) + 0.015 * frame * math.sin(k * 0.9)
            rows.append((k, frame, round(x, 4), round(y, 4)))
    return pd.DataFrame(rows, columns=["id", "frame", "x", "y"])


def read(path, scale):
    if path.name.startswith("Topview"):
        table = pd.read_csv(path)
        table.columns = ["id", "frame", "t", "x", "y"]
    else:
        table = pd.read_csv(path, sep=r"\s+", comment="#", header=None, names=["id", "frame", "x", "y", "z"])
    table = table[["id", "frame", "x", "y"]].copy()
    table["x"] *= scale
    table["y"] *= scale
    return table


def rounded(values):
    return [float(f"{value:.6g}") for value in values]


def measure(case, table):
    walkable = pedpy.WalkableArea(case["zone"])
    inside = shapely.contains_xy(walkable.polygon, table.x, table.y)
    tracks = pedpy.TrajectoryData(data=table[inside], frame_rate=case["fps"])
    frames = [f for f in case["frames"] if (tracks.data.frame == f).any()]
    speed = pedpy.compute_individual_speed(traj_data=tracks, frame_step=STEP, compute_velocity=True,
                                           speed_calculation=pedpy.SpeedCalculation.BORDER_EXCLUDE)
    picked = pedpy.TrajectoryData(data=tracks.data[tracks.data.frame.isin(frames)], frame_rate=case["fps"])
    cutoff = pedpy.Cutoff(radius=case["cutoff"][0], quad_segments=case["cutoff"][1]) if case["cutoff"] else None
    cells = pedpy.compute_individual_voronoi_polygons(traj_data=picked, walkable_area=walkable, cut_off=cutoff)
    area = pedpy.MeasurementArea(case["area"])
    density, _ = pedpy.compute_voronoi_density(individual_voronoi_data=cells, measurement_area=area)
    density = density.set_index("frame").density
    grid, rows, cols = pedpy.get_grid_cells(walkable_area=walkable, grid_size=GRID)
    centres = [(cell.centroid.x, cell.centroid.y) for cell in grid]
    crossings = pedpy.methods.method_utils.compute_crossing_frames(traj_data=tracks, measurement_line=pedpy.MeasurementLine(case["line"]))
    out = []
    for frame in frames:
        now = tracks.data[tracks.data.frame == frame]
        moving = now.merge(speed, on=["id", "frame"])
        gauss = {}
        for radius in RADII:
            width = 2 * radius * math.sqrt(math.log(2))
            profile = pedpy.compute_density_profile(data=now, walkable_area=walkable, grid_size=GRID,
                                                    density_method=pedpy.DensityMethod.GAUSSIAN, gaussian_width=width)[0]
            gauss[str(radius)] = rounded(np.asarray(profile).ravel())
        width = 2 * RADII[1] * math.sqrt(math.log(2))
        speeds = pedpy.compute_speed_profile(data=moving, walkable_area=walkable, grid_size=GRID,
                                             speed_method=pedpy.SpeedMethod.GAUSSIAN, gaussian_width=width)[0]
        own = cells[cells.frame == frame].sort_values("id")
        out.append(dict(frame=int(frame), persons=int(len(now)), movers=int(len(moving)),
                        speed_sum=float(f"{moving.speed.sum():.8g}"), gaussian=gauss, gaussian_speed=rounded(np.asarray(speeds).ravel()),
                        voronoi_density=float(f"{density.get(frame, 0.0):.8g}"),
                        cell_density_sum=float(f"{own.density.sum():.8g}")))
    return dict(name=case["name"], file=case["file"], scale=case["scale"], fps=case["fps"], step=STEP, zone=case["zone"], area=case["area"],
                line=case["line"], cutoff=case["cutoff"], centres=[rounded(c) for c in centres], crossings=int(len(crossings)), frames=out)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=here.parent / "fixtures" / "pedpy.json")
    args = parser.parse_args()
    crowd = synthetic()
    case = dict(name="synthetic", file=None, scale=1.0, fps=10.0, zone=box(0, 0, 9.5, 6.5), area=box(2.0, 1.5, 6.0, 4.5), line=[[5.0, 0.0], [5.0, 6.5]],
                cutoff=None, frames=[5, 10, 15])
    cases = [measure(case, crowd)]
    cases[0]["tracks"] = [[int(r.id), int(r.frame), r.x, r.y] for r in crowd.itertuples()]
    for case in CASES:
        cases.append(measure(case, read(args.data / case["file"], case["scale"])))
        print(case["name"], len(cases[-1]["frames"]), "frames,", cases[-1]["crossings"], "crossings")
    fixture = dict(pedpy=pedpy.__version__ if hasattr(pedpy, "__version__") else "1.5.1", shapely=shapely.__version__, cases=cases)
    args.out.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
