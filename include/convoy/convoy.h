/* Convoy from C, and by convoy.f90 from Fortran: training and prediction inside another program.

   Every function returns CONVOY_DONE or the status of an error (the exit statuses of the program), and
   convoy_last_error() says in words what was wrong. Handles are made by *_create, *_read and *_load, and freed by
   *_free, which takes NULL too. Nothing here prints, exits, touches signals, or initialises or finalises MPI.

   `mpi_comm` is the address of an MPI_Comm (a program that has initialised MPI with MPI_THREAD_SERIALIZED or more),
   or NULL: this process alone. Functions that are collective are called by all its ranks. */
#ifndef CONVOY_CONVOY_H
#define CONVOY_CONVOY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CONVOY_DONE = 0,
  CONVOY_FAILED = 1,       /* out of memory, an unexpected error */
  CONVOY_USAGE = 2,        /* a null handle, an unknown key, sizes that do not fit */
  CONVOY_BAD_DATA = 3,     /* a number that is not finite, a damaged file, samples that do not fit */
  CONVOY_INPUT_OUTPUT = 4, /* a file cannot be read or written */
  CONVOY_DIVERGED = 5,     /* NaN or infinity in training */
  CONVOY_STALLED = 6,      /* MPI failed */
  CONVOY_DISAGREEMENT = 7  /* ranks differ in what must be equal */
};

/* Types of numbers in memory. */
enum { CONVOY_UINT8 = 0, CONVOY_INT32 = 1, CONVOY_INT64 = 2, CONVOY_FLOAT = 3, CONVOY_DOUBLE = 4 };

typedef struct convoy_dataset convoy_dataset;
typedef struct convoy_options convoy_options;
typedef struct convoy_model convoy_model;

/* The last error of this thread, "" before the first; valid until its next error. */
const char* convoy_last_error(void);
/* "0.1.0" */
const char* convoy_version(void);

/* --- samples --- */

/* Collective. An empty data set of images [c][h][w] in memory: bytes (is_bytes 1) or float numbers, each with a label
   below `classes` or with `targets` numbers; the other of the two is 0. */
int convoy_dataset_create(const void* mpi_comm, int64_t c, int64_t h, int64_t w, int is_bytes, int64_t classes,
                          int64_t targets, convoy_dataset** dataset);
/* Collective. Reads a split ("train", "test", "validation") of a file made by `convoy import`. */
int convoy_dataset_read(const void* mpi_comm, const char* file, const char* split, convoy_dataset** dataset);
/* The same two for a Fortran communicator. */
int convoy_dataset_create_f(int mpi_comm, int64_t c, int64_t h, int64_t w, int is_bytes, int64_t classes,
                            int64_t targets, convoy_dataset** dataset);
int convoy_dataset_read_f(int mpi_comm, const char* file, const char* split, convoy_dataset** dataset);
/* Not collective. Copies `n` samples of this rank: their numbers in the whole set, images [n][c][h][w], and labels [n]
   or targets [n][targets]. Over all ranks, the numbers go on where the set ends, without gaps, each once. */
int convoy_dataset_add(convoy_dataset* dataset, int64_t n, const int64_t* numbers, const void* images,
                       int image_type, const void* answers, int answer_type);
/* The same with the sizes of the arrays, which are checked: for convoy.f90. */
int convoy_dataset_add_f(convoy_dataset* dataset, int64_t n, const int64_t* numbers, const void* images,
                         int64_t image_numbers, int image_type, const void* answers, int64_t answer_numbers,
                         int answer_type);
/* Collective. Joins what all ranks have added; fit and evaluate do it too. `samples` may be NULL. */
int convoy_dataset_join(convoy_dataset* dataset, int64_t* samples);
/* Collective. */
void convoy_dataset_free(convoy_dataset* dataset);

/* --- options: the keys of configs/README.md --- */

int convoy_options_create(convoy_options** options);
/* "schedule.lr", "0.05" */
int convoy_options_set(convoy_options* options, const char* key, const char* value);
void convoy_options_free(convoy_options* options);

/* --- models --- */

/* `layers`: a layer a line, as in the section [network] of a configuration. `loss`: "softmax-cross-entropy",
   "sigmoid-cross-entropy", "quadratic", "absolute" or "huber" (delta 1). */
int convoy_model_create(int64_t c, int64_t h, int64_t w, const char* layers, const char* loss, uint64_t seed,
                        convoy_model** model);
int convoy_model_load(const char* checkpoint, convoy_model** model);
/* Not collective: all ranks have the same model, so let one save it. */
int convoy_model_save(const convoy_model* model, const char* checkpoint);
void convoy_model_free(convoy_model* model);

typedef struct {
  int64_t epoch; /* of this fit, from 1 */
  int64_t step;  /* updates of this fit */
  double loss;   /* of the step, or mean over the epoch */
  double learning_rate; /* of the step; 0 after an epoch */
  double accuracy;      /* of the epoch; 0 after a step */
  double test_loss;     /* of the epoch, with test samples; else 0 */
  double test_accuracy;
} convoy_progress;

/* Called on every rank; a value other than 0 on any rank stops the fit. */
typedef int (*convoy_callback)(const convoy_progress* progress, void* context);

typedef struct {
  convoy_callback on_step;  /* may be NULL */
  convoy_callback on_epoch; /* may be NULL */
  void* context;
  convoy_dataset* test; /* evaluated after every epoch; may be NULL */
} convoy_callbacks;

/* Collective. Trains from the present values. `callbacks` and `is_complete` may be NULL; is_complete is 0 if a
   callback stopped the fit. After an error the model is as before. */
int convoy_model_fit(convoy_model* model, convoy_dataset* dataset, const convoy_options* options,
                     const convoy_callbacks* callbacks, int* is_complete);
/* Collective. Goes on with a fit that a callback stopped, also after save and load. */
int convoy_model_resume(convoy_model* model, convoy_dataset* dataset, const convoy_options* options,
                        const convoy_callbacks* callbacks, int* is_complete);

typedef struct {
  int64_t samples;
  double loss;
  double accuracy;
  double top5;
} convoy_evaluation;

/* Collective. `threads` 0: as run.threads 0. */
int convoy_model_evaluate(const convoy_model* model, convoy_dataset* dataset, int64_t threads,
                          convoy_evaluation* evaluation);

/* Numbers that the network gives for an image; 0 for NULL. */
int64_t convoy_model_outputs(const convoy_model* model);
/* Not collective; several threads may call at once. `images` [n][c][h][w] give `outputs` [n][outputs]. */
int convoy_model_predict(const convoy_model* model, int64_t n, const void* images, int image_type, int threads,
                         float* outputs);
/* The same with the sizes of the arrays, which are checked: for convoy.f90. */
int convoy_model_predict_f(const convoy_model* model, const void* images, int64_t image_numbers, int image_type,
                           int threads, float* outputs, int64_t output_numbers);

#ifdef __cplusplus
}
#endif

#endif
