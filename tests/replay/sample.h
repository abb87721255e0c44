#pragma once

/// A job small enough to date by hand: one replica of two stages, two micro-batches under 1F1B;
/// forward passes take 100 us, backward ones 200, messages 10, the optimizer 30. Stage 0 begins at
/// once, nothing is late, so the table is what the rules of sim/replay/pipeline_graph.h give:
///
///   stage 0   F0 0-100   F1 100-200   B0 420-620   B1 720-920   optimizer 920-950
///   stage 1   F0 110-210   B0 210-410   F1 410-510   B1 510-710   optimizer 710-740
///
/// Receives are posted at 0 and, for micro-batch 1, when the pass before has ended.

#include <string>

namespace forerun::testing {

inline std::string sample_table() {
  return "step,dp_rank,pp_stage,optype,start_us,dur_us,seq_id,mb_id\n"
         "7,0,0,forward-compute,0,100,0,0\n"
         "7,0,1,forward-recv,0,110,0,-1\n"
         "7,0,0,forward-send,100,10,0,-1\n"
         "7,0,0,forward-compute,100,100,1,1\n"
         "7,0,0,backward-recv,100,320,0,-1\n"
         "7,0,1,forward-compute,110,100,0,0\n"
         "7,0,0,forward-send,200,20,1,-1\n"
         "7,0,1,forward-recv,210,10,1,-1\n"
         "7,0,1,backward-compute,210,200,0,0\n"
         "7,0,1,forward-compute,410,100,1,1\n"
         "7,0,1,backward-send,410,10,0,-1\n"
         "7,0,0,backward-compute,420,200,0,0\n"
         "7,0,1,backward-compute,510,200,1,1\n"
         "7,0,0,backward-recv,620,100,1,-1\n"
         "7,0,1,backward-send,710,10,1,-1\n"
         "7,0,1,optimizer,710,30,0,-1\n"
         "7,0,0,backward-compute,720,200,1,1\n"
         "7,0,0,optimizer,920,30,0,-1\n";
}

}  // namespace forerun::testing
