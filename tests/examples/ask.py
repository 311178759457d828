#!/usr/bin/env python3
"""Several clients at once ask the example server; each answer is the one that a single client gets.

usage: ask.py SERVER CHECKPOINT NUMBERS_PER_IMAGE
"""

import array
import random
import socket
import subprocess
import sys
import threading

server, checkpoint, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
CLIENTS, QUESTIONS = 8, 10


def read(connection, size_in_bytes):
    answer = b""
    while len(answer) < size_in_bytes:
        piece = connection.recv(size_in_bytes - len(answer))
        if not piece:
            break
        answer += piece
    return answer


def ask(port, images, outputs):
    """The answers to `images`; an incomplete one if the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answers = []
        for image in images:
            connection.sendall(image.tobytes())
            answers.append(read(connection, 4 * outputs))
        return answers


generator = random.Random(1)
images = [array.array("f", (generator.uniform(0, 4) for _ in range(size))) for _ in range(QUESTIONS)]
with subprocess.Popen([server, checkpoint], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
    port = int(process.stdout.readline().split()[1])
    expected = ask(port, images, size)
    assert all(len(answer) == 4 * size for answer in expected), "an answer is incomplete"
    assert len(set(expected)) == QUESTIONS, "different images get the same answer"
    found = [None] * CLIENTS

    def run(client):
        found[client] = ask(port, images, size)

    threads = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers == expected for answers in found), "clients at the same time get other answers"
    assert ask(port, [array.array("f", [float("nan")] * size)], size) == [b""], "NaN gets an answer"
    assert ask(port, images, size) == expected, "the server does not go on after NaN"
    process.stdin.close()
    assert process.wait(timeout=60) == 0
print(f"{CLIENTS} clients at once get the answers of one")
