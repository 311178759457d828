// A reaction-diffusion solver (the Brusselator: Prigogine & Lefever 1968) on a periodic grid, whose costly
// term is the chemistry of each cell, integrated in small steps. While it runs, it trains a network on the
// tiles of its own fields; then the network replaces the chemistry. Any number of ranks gives the same fields
// and the same network:
//   mpirun -n 3 ./solver
#include <mpi.h>
#include <convoy/convoy.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr int kTile = 16;  // cells per side of a tile, the image that the network sees
constexpr int kTiles = 4;  // tiles per side of the grid
constexpr int kSide = kTile * kTiles;
constexpr int kSubsteps = 400;       // of the chemistry
constexpr double kStep = 0.02;       // time of a step
constexpr double kDiffusionU = 0.2;  // times kStep / h²
constexpr double kDiffusionV = 0.02;
constexpr int kTeachingSteps = 90;  // steps with the chemistry, whose tiles are the samples
constexpr int kFitEvery = 30;
constexpr int kTestSteps = 60;  // then, with the network beside the chemistry

/// The concentrations u and v in the rank's rows, with one row more above and below.
struct Fields {
  int first = 0;  // row of tiles
  int tiles = 0;  // rows of tiles
  std::vector<double> u, v;
  Fields(int rank, int ranks)
      : first(kTiles * rank / ranks),
        tiles(kTiles * (rank + 1) / ranks - first),
        u(static_cast<std::size_t>((tiles * kTile + 2) * kSide)),
        v(u.size()) {
    for (int row = 0; row < tiles * kTile; ++row)
      for (int x = 0; x < kSide; ++x) {
        const double y = first * kTile + row;
        u[at(row, x)] = 1 + 0.3 * std::sin(6.2832 * x / kSide) * std::cos(6.2832 * y / kSide);
        v[at(row, x)] = 3 + 0.3 * std::cos(6.2832 * (x + 2 * y) / kSide);
      }
  }
  static std::size_t at(int row, int x) { return static_cast<std::size_t>((row + 1) * kSide + x); }
};

/// du/dt = 1 − 4u + u²v, dv/dt = 3u − u²v, by the classical Runge-Kutta method.
void react(double& u, double& v) {
  const double h = kStep / kSubsteps;
  const auto du = [](double a, double b) { return 1 - 4 * a + a * a * b; };
  const auto dv = [](double a, double b) { return 3 * a - a * a * b; };
  for (int i = 0; i < kSubsteps; ++i) {
    const double u1 = du(u, v), v1 = dv(u, v);
    const double u2 = du(u + h / 2 * u1, v + h / 2 * v1), v2 = dv(u + h / 2 * u1, v + h / 2 * v1);
    const double u3 = du(u + h / 2 * u2, v + h / 2 * v2), v3 = dv(u + h / 2 * u2, v + h / 2 * v2);
    const double u4 = du(u + h * u3, v + h * v3), v4 = dv(u + h * u3, v + h * v3);
    u += h / 6 * (u1 + 2 * u2 + 2 * u3 + u4);
    v += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
  }
}

/// The rows of the ranks form a ring; ranks without rows pass messages on by having no neighbours.
void diffuse(Fields& f, MPI_Comm strips) {
  if (f.tiles == 0) return;
  int rank = 0, ranks = 1;
  MPI_Comm_rank(strips, &rank);
  MPI_Comm_size(strips, &ranks);
  const int above = (rank + ranks - 1) % ranks, below = (rank + 1) % ranks, rows = f.tiles * kTile;
  for (auto* field : {&f.u, &f.v}) {
    double* const all = field->data();
    MPI_Sendrecv(all + f.at(rows - 1, 0), kSide, MPI_DOUBLE, below, 0, all + f.at(-1, 0), kSide, MPI_DOUBLE,
                 above, 0, strips, MPI_STATUS_IGNORE);
    MPI_Sendrecv(all + f.at(0, 0), kSide, MPI_DOUBLE, above, 1, all + f.at(rows, 0), kSide, MPI_DOUBLE, below,
                 1, strips, MPI_STATUS_IGNORE);
    const std::vector<double> old = *field;
    const double d = field == &f.u ? kDiffusionU : kDiffusionV;
    for (int row = 0; row < rows; ++row)
      for (int x = 0; x < kSide; ++x)
        all[f.at(row, x)] +=
            d * (old[f.at(row - 1, x)] + old[f.at(row + 1, x)] + old[f.at(row, (x + 1) % kSide)] +
                 old[f.at(row, (x + kSide - 1) % kSide)] - 4 * old[f.at(row, x)]);
  }
}

/// The tiles of the rank's rows as images [n][2][kTile][kTile].
std::vector<double> tiles_of(const Fields& f) {
  std::vector<double> images;
  for (int tile = 0; tile < f.tiles * kTiles; ++tile)
    for (const auto* field : {&f.u, &f.v})
      for (int y = 0; y < kTile; ++y)
        for (int x = 0; x < kTile; ++x)
          images.push_back((*field)[f.at(tile / kTiles * kTile + y, tile % kTiles * kTile + x)]);
  return images;
}

/// Adds `changes`, [n][2][kTile][kTile], to the fields.
template <class Number>
void add_tiles(Fields& f, const std::vector<Number>& changes) {
  std::size_t next = 0;
  for (int tile = 0; tile < f.tiles * kTiles; ++tile)
    for (auto* field : {&f.u, &f.v})
      for (int y = 0; y < kTile; ++y)
        for (int x = 0; x < kTile; ++x)
          (*field)[f.at(tile / kTiles * kTile + y, tile % kTiles * kTile + x)] += changes[next++];
}

/// What the chemistry adds to the tiles in a step.
std::vector<double> chemistry(const std::vector<double>& images) {
  std::vector<double> changes(images.size());
  constexpr std::size_t kCells = kTile * kTile;
  for (std::size_t i = 0; i < images.size(); i += i % kCells == kCells - 1 ? kCells + 1 : 1) {
    double u = images[i], v = images[i + kCells];
    react(u, v);
    changes[i] = u - images[i];
    changes[i + kCells] = v - images[i + kCells];
  }
  return changes;
}

double sum_over_ranks(double mine, MPI_Comm comm) {
  double sum = 0;
  MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, comm);
  return sum;
}

void solve(MPI_Comm world) {
  int rank = 0, ranks = 1;
  MPI_Comm_rank(world, &rank);
  MPI_Comm_size(world, &ranks);
  Fields fields(rank, ranks);
  MPI_Comm strips = MPI_COMM_NULL;  // of the ranks that have rows
  MPI_Comm_split(world, fields.tiles > 0 ? 0 : 1, rank, &strips);

  const auto all = convoy::Communicator::duplicate_of(&world);
  convoy::Dataset samples({.image = {2, kTile, kTile}, .targets = 2 * kTile * kTile}, all);
  convoy::Model model(convoy::NetworkBuilder({2, kTile, kTile})
                          .conv(32, {1, 1})
                          .tanh()
                          .conv(32, {1, 1})
                          .tanh()
                          .conv(2, {1, 1})
                          .build(convoy::Loss::kQuadratic));
  const convoy::Options options{{"train.epochs", 40},         {"train.batch", 16},
                                {"train.micro-batch", 2},     {"schedule.name", "cosine"},
                                {"schedule.lr", 0.002},       {"optimizer.momentum", 0.9},
                                {"schedule.warmup-epochs", 1}};

  for (int step = 0; step < kTeachingSteps; ++step) {
    diffuse(fields, strips);
    const std::vector<double> images = tiles_of(fields);
    const std::vector<double> changes = chemistry(images);
    // Samples are numbered by step and place, wherever they are computed.
    std::vector<std::int64_t> numbers;
    for (int tile = 0; tile < fields.tiles * kTiles; ++tile)
      numbers.push_back((step * kTiles + fields.first) * kTiles + tile);
    samples.add(numbers, images, changes);
    add_tiles(fields, changes);
    if ((step + 1) % kFitEvery != 0) continue;
    model.fit(samples, options);
    const convoy::Evaluation now = model.evaluate(samples);
    if (rank == 0)
      std::printf("step %d: %lld tiles, root mean squared error of the term %.2e\n", step + 1,
                  static_cast<long long>(now.samples), std::sqrt(2 * now.loss / (2 * kTile * kTile)));
  }

  Fields guessed = fields;
  double exact_seconds = 0, network_seconds = 0;
  for (int step = 0; step < kTestSteps; ++step) {
    diffuse(fields, strips);
    double begin = MPI_Wtime();
    add_tiles(fields, chemistry(tiles_of(fields)));
    exact_seconds += MPI_Wtime() - begin;
    diffuse(guessed, strips);
    begin = MPI_Wtime();
    add_tiles(guessed, model.predict(tiles_of(guessed)));
    network_seconds += MPI_Wtime() - begin;
  }
  double difference = 0, size = 0;
  const std::vector<double> exact = tiles_of(fields), other = tiles_of(guessed);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    difference += (exact[i] - other[i]) * (exact[i] - other[i]);
    size += exact[i] * exact[i];
  }
  difference = std::sqrt(sum_over_ranks(difference, world) / sum_over_ranks(size, world));
  const double faster = sum_over_ranks(exact_seconds, world) / sum_over_ranks(network_seconds, world);
  if (rank == 0) {
    std::printf(
        "after %d steps with the network: relative error of the fields %.1e, term %.0f times as fast\n",
        kTestSteps, difference, faster);
    model.save("solver.h5");
  }
  MPI_Comm_free(&strips);
}

}  // namespace

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level);
  try {
    solve(MPI_COMM_WORLD);
  } catch (const convoy::Error& error) {
    std::fprintf(stderr, "solver: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
