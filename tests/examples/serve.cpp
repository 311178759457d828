// Serves a trained network: clients connect to a port of this machine, send images as float32 numbers
// [C][H][W] one after the other, and receive the network's outputs, float32, for each. One model answers all
// clients at once.
//   ./serve lenet.h5        prints the port, and runs until its standard input ends
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <convoy/convoy.hpp>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

namespace {

/// False at the end of the connection.
bool receive(int client, std::vector<float>& numbers) {
  auto* const to = reinterpret_cast<char*>(numbers.data());
  for (std::size_t done = 0; done < numbers.size() * sizeof(float);) {
    const ssize_t got = recv(client, to + done, numbers.size() * sizeof(float) - done, 0);
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

bool answer(int client, const std::vector<float>& numbers) {
  const auto* const from = reinterpret_cast<const char*>(numbers.data());
  for (std::size_t done = 0; done < numbers.size() * sizeof(float);) {
    const ssize_t sent = send(client, from + done, numbers.size() * sizeof(float) - done, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

void serve(const convoy::Model& model, int client) {
  try {
    std::vector<float> image(static_cast<std::size_t>(model.network().input().size()));
    while (receive(client, image) && answer(client, model.predict(image))) {
    }
  } catch (const convoy::Error& error) {  // a number that is not finite: this client's connection ends
    std::fprintf(stderr, "serve: %s\n", error.what());
  }
  close(client);
}

}  // namespace

int main(int argc, char** argv) {
  std::unique_ptr<convoy::Model> model;
  try {
    model = std::make_unique<convoy::Model>(convoy::Model::load(argc > 1 ? argv[1] : "lenet.h5"));
  } catch (const convoy::Error& error) {
    std::fprintf(stderr, "serve: %s\n", error.what());
    return static_cast<int>(error.status());
  }
  const int door = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(door, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(door, 64) != 0 ||
      getsockname(door, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("serve: no port");
    return 4;
  }
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  std::thread clients([&] {
    for (int client = accept(door, nullptr, nullptr); client >= 0; client = accept(door, nullptr, nullptr))
      std::thread([&model, client] { serve(*model, client); }).detach();
  });
  while (std::getchar() != EOF) {
  }
  std::_Exit(0);  // clients may still wait
}
