// Graphs: calls that were captured, and run again with one launch.
#pragma once

#include <vector>

#include "stream.h"

namespace culoss::cuda {

struct Graph {
  explicit Graph(const Device& of) : device(&of) {}

  const Device* device;
  cudaGraphExec_t exec = nullptr;
  std::shared_ptr<Memory> words;  // (1) of Words, of all its launches
  std::vector<Use> uses;          // what a replay touches: nothing of it is freed before the graph
};

// Keeps memory for the graph, which touches it with every replay.
void keep(Graph& graph, const Use& use);

// Memory of one captured call, which the graph keeps.
void* kept_workspace(Graph& graph, size_t bytes);

}  // namespace culoss::cuda
