// Trains a network on MNIST with all ranks of the job and saves it:
//   convoy import mnist DIR --out mnist.h5 && mpirun -n 2 ./mnist mnist.h5 lenet.h5
#include <mpi.h>
#include <convoy/convoy.hpp>
#include <cstdio>

void train(const char* file, const char* checkpoint) {
  const MPI_Comm world = MPI_COMM_WORLD;
  const auto ranks = convoy::Communicator::duplicate_of(&world);
  auto training = convoy::Dataset::read(file, "train", ranks);
  auto test = convoy::Dataset::read(file, "test", ranks);

  convoy::Model model(
      training.shape(),
      "conv 20 5x5\nmaxpool 2x2\nrelu\nconv 40 5x5\nmaxpool 2x2\nrelu\ndense 100\nrelu\ndense 10",
      convoy::Loss::kSoftmaxCrossEntropy);

  const convoy::Options options{
      {"train.epochs", 2}, {"train.batch", 64}, {"schedule.lr", 0.05}, {"optimizer.momentum", 0.9}};
  const auto on_epoch = [&](const convoy::FitEpoch& epoch) {
    if (ranks.is_root())
      std::printf("epoch %d: loss %.4f, test accuracy %.2f %%\n", static_cast<int>(epoch.epoch), epoch.loss,
                  100 * epoch.test->accuracy());
    return convoy::Go::kOn;
  };
  model.fit(training, options, {.on_epoch = on_epoch, .test = &test});
  if (ranks.is_root()) model.save(checkpoint);
}

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
  try {
    train(argc > 1 ? argv[1] : "mnist.h5", argc > 2 ? argv[2] : "lenet.h5");
  } catch (const convoy::Error& error) {
    std::fprintf(stderr, "mnist: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
