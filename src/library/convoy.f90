! Convoy from Fortran, over the C interface (convoy.h).
!
!   use convoy
!   type(convoy_dataset) :: samples
!   call samples%create([2, 16, 16], targets=512, comm=comm, status=status)
!
! Every procedure returns a status: convoy_done, or that of an error (convoy.h), whose text is convoy_last_error().
! Without the argument `status`, an error stops the program with that text. Images are arrays (w, h, c, n): the
! numbers lie in memory as C has them in [n][c][h][w]. Communicators are the integers of mpi or mpif.h
! (comm%MPI_VAL of mpi_f08). Handles are freed by %free().
module convoy
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int32, int64, real32, real64, error_unit
  implicit none
  private

  public :: convoy_dataset, convoy_options, convoy_model, convoy_progress, convoy_evaluation, convoy_last_error

  integer, parameter, public :: convoy_done = 0, convoy_failed = 1, convoy_usage = 2, convoy_bad_data = 3, &
    convoy_input_output = 4, convoy_diverged = 5, convoy_stalled = 6, convoy_disagreement = 7
  integer(c_int), parameter :: type_uint8 = 0, type_int32 = 1, type_int64 = 2, type_float = 3, type_double = 4

  ! What a callback receives.
  type, bind(c) :: convoy_progress
    integer(c_int64_t) :: epoch           ! of this fit, from 1
    integer(c_int64_t) :: step            ! updates of this fit
    real(c_double) :: loss                ! of the step, or mean over the epoch
    real(c_double) :: learning_rate       ! of the step; 0 after an epoch
    real(c_double) :: accuracy            ! of the epoch; 0 after a step
    real(c_double) :: test_loss           ! of the epoch, with test samples; else 0
    real(c_double) :: test_accuracy
  end type

  type, bind(c) :: convoy_evaluation
    integer(c_int64_t) :: samples
    real(c_double) :: loss
    real(c_double) :: accuracy
    real(c_double) :: top5
  end type

  type, bind(c) :: callbacks_in_c
    type(c_funptr) :: on_step
    type(c_funptr) :: on_epoch
    type(c_ptr) :: context
    type(c_ptr) :: test
  end type

  abstract interface
    ! A value other than 0 on any rank stops the fit.
    integer(c_int) function convoy_callback(progress, context) bind(c)
      import :: convoy_progress, c_int, c_ptr
      type(convoy_progress), intent(in) :: progress
      type(c_ptr), value :: context
    end function
  end interface
  public :: convoy_callback

  type :: convoy_dataset
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: create => dataset_create
    procedure :: read => dataset_read
    procedure :: join => dataset_join
    procedure :: free => dataset_free
    procedure, private :: add_targets32, add_targets64, add_labels32, add_labels64, add_labels8
    ! Copies samples of this rank: call samples%add(numbers, images, targets_or_labels, status)
    generic :: add => add_targets32, add_targets64, add_labels32, add_labels64, add_labels8
  end type

  type :: convoy_options
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure, private :: set_text, set_integer, set_real
    ! A key of configs/README.md: call options%set("schedule.lr", 0.05d0, status)
    generic :: set => set_text, set_integer, set_real
    procedure :: free => options_free
  end type

  type :: convoy_model
    private
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: create => model_create
    procedure :: load => model_load
    procedure :: save => model_save
    procedure :: fit => model_fit
    procedure :: resume => model_resume
    procedure :: evaluate => model_evaluate
    procedure :: outputs => model_outputs
    procedure, private :: predict8, predict32, predict64
    ! call model%predict(images, outputs, threads, status): outputs (outputs, n)
    generic :: predict => predict8, predict32, predict64
    procedure :: free => model_free
  end type

  interface
    function c_last_error() bind(c, name="convoy_last_error")
      import :: c_ptr
      type(c_ptr) :: c_last_error
    end function
    integer(c_size_t) function c_strlen(text) bind(c, name="strlen")
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
    end function
    integer(c_int) function c_dataset_create(comm, c, h, w, is_bytes, classes, targets, handle) &
        bind(c, name="convoy_dataset_create_f")
      import
      integer(c_int), value :: comm, is_bytes
      integer(c_int64_t), value :: c, h, w, classes, targets
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_dataset_create_alone(comm, c, h, w, is_bytes, classes, targets, handle) &
        bind(c, name="convoy_dataset_create")
      import
      type(c_ptr), value :: comm
      integer(c_int), value :: is_bytes
      integer(c_int64_t), value :: c, h, w, classes, targets
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_dataset_read(comm, file, split, handle) bind(c, name="convoy_dataset_read_f")
      import
      integer(c_int), value :: comm
      character(kind=c_char), intent(in) :: file(*), split(*)
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_dataset_read_alone(comm, file, split, handle) bind(c, name="convoy_dataset_read")
      import
      type(c_ptr), value :: comm
      character(kind=c_char), intent(in) :: file(*), split(*)
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_dataset_add(handle, n, numbers, images, image_size, image_type, answers, answer_size, &
        answer_type) bind(c, name="convoy_dataset_add_f")
      import
      type(c_ptr), value :: handle, images, answers
      integer(c_int64_t), value :: n, image_size, answer_size
      integer(c_int64_t), intent(in) :: numbers(*)
      integer(c_int), value :: image_type, answer_type
    end function
    integer(c_int) function c_dataset_join(handle, samples) bind(c, name="convoy_dataset_join")
      import
      type(c_ptr), value :: handle
      integer(c_int64_t) :: samples
    end function
    subroutine c_dataset_free(handle) bind(c, name="convoy_dataset_free")
      import
      type(c_ptr), value :: handle
    end subroutine
    integer(c_int) function c_options_create(handle) bind(c, name="convoy_options_create")
      import
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_options_set(handle, key, value) bind(c, name="convoy_options_set")
      import
      type(c_ptr), value :: handle
      character(kind=c_char), intent(in) :: key(*), value(*)
    end function
    subroutine c_options_free(handle) bind(c, name="convoy_options_free")
      import
      type(c_ptr), value :: handle
    end subroutine
    integer(c_int) function c_model_create(c, h, w, layers, loss, seed, handle) bind(c, name="convoy_model_create")
      import
      integer(c_int64_t), value :: c, h, w, seed
      character(kind=c_char), intent(in) :: layers(*), loss(*)
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_model_load(file, handle) bind(c, name="convoy_model_load")
      import
      character(kind=c_char), intent(in) :: file(*)
      type(c_ptr) :: handle
    end function
    integer(c_int) function c_model_save(handle, file) bind(c, name="convoy_model_save")
      import
      type(c_ptr), value :: handle
      character(kind=c_char), intent(in) :: file(*)
    end function
    subroutine c_model_free(handle) bind(c, name="convoy_model_free")
      import
      type(c_ptr), value :: handle
    end subroutine
    integer(c_int) function c_model_fit(model, dataset, options, callbacks, is_complete) &
        bind(c, name="convoy_model_fit")
      import
      type(c_ptr), value :: model, dataset, options
      type(callbacks_in_c), intent(in) :: callbacks
      integer(c_int) :: is_complete
    end function
    integer(c_int) function c_model_resume(model, dataset, options, callbacks, is_complete) &
        bind(c, name="convoy_model_resume")
      import
      type(c_ptr), value :: model, dataset, options
      type(callbacks_in_c), intent(in) :: callbacks
      integer(c_int) :: is_complete
    end function
    integer(c_int) function c_model_evaluate(model, dataset, threads, evaluation) &
        bind(c, name="convoy_model_evaluate")
      import
      type(c_ptr), value :: model, dataset
      integer(c_int64_t), value :: threads
      type(convoy_evaluation) :: evaluation
    end function
    integer(c_int64_t) function c_model_outputs(model) bind(c, name="convoy_model_outputs")
      import
      type(c_ptr), value :: model
    end function
    integer(c_int) function c_model_predict(model, images, image_size, image_type, threads, outputs, output_size) &
        bind(c, name="convoy_model_predict_f")
      import
      type(c_ptr), value :: model, images, outputs
      integer(c_int64_t), value :: image_size, output_size
      integer(c_int), value :: image_type, threads
    end function
  end interface

contains

  ! The text of the last error.
  function convoy_last_error() result(text)
    character(:), allocatable :: text
    character(kind=c_char), pointer :: characters(:)
    type(c_ptr) :: from
    integer :: i
    from = c_last_error()
    call c_f_pointer(from, characters, [c_strlen(from)])
    allocate (character(size(characters)) :: text)
    do i = 1, size(characters)
      text(i:i) = characters(i)
    end do
  end function

  subroutine tell(code, status)
    integer(c_int), intent(in) :: code
    integer, intent(out), optional :: status
    if (present(status)) then
      status = code
    else if (code /= convoy_done) then
      write (error_unit, '(2a)') 'convoy: ', convoy_last_error()
      error stop 1
    end if
  end subroutine

  pure function to_c(text)
    character(*), intent(in) :: text
    character(kind=c_char) :: to_c(len_trim(text) + 1)
    integer :: i
    do i = 1, len_trim(text)
      to_c(i) = text(i:i)
    end do
    to_c(len_trim(text) + 1) = c_null_char
  end function

  pure integer(c_int64_t) function or_zero(value)
    integer, intent(in), optional :: value
    or_zero = 0
    if (present(value)) or_zero = value
  end function

  ! Collective. An empty data set of images `shape` = [c, h, w] with a label below `classes` or `targets` numbers each.
  ! Without `comm`: of this process alone.
  subroutine dataset_create(self, shape, classes, targets, is_bytes, comm, status)
    class(convoy_dataset), intent(inout) :: self
    integer, intent(in) :: shape(3)
    integer, intent(in), optional :: classes, targets, comm
    logical, intent(in), optional :: is_bytes
    integer, intent(out), optional :: status
    integer(c_int) :: bytes
    bytes = 0
    if (present(is_bytes)) bytes = merge(1, 0, is_bytes)
    call self%free()
    if (present(comm)) then
      call tell(c_dataset_create(int(comm, c_int), int(shape(1), c_int64_t), int(shape(2), c_int64_t), &
        int(shape(3), c_int64_t), bytes, or_zero(classes), or_zero(targets), self%handle), status)
    else
      call tell(c_dataset_create_alone(c_null_ptr, int(shape(1), c_int64_t), int(shape(2), c_int64_t), &
        int(shape(3), c_int64_t), bytes, or_zero(classes), or_zero(targets), self%handle), status)
    end if
  end subroutine

  ! Collective. Reads a split ('train', 'test') of a file made by convoy import.
  subroutine dataset_read(self, file, split, comm, status)
    class(convoy_dataset), intent(inout) :: self
    character(*), intent(in) :: file, split
    integer, intent(in), optional :: comm
    integer, intent(out), optional :: status
    call self%free()
    if (present(comm)) then
      call tell(c_dataset_read(int(comm, c_int), to_c(file), to_c(split), self%handle), status)
    else
      call tell(c_dataset_read_alone(c_null_ptr, to_c(file), to_c(split), self%handle), status)
    end if
  end subroutine

  subroutine add_targets32(self, numbers, images, answers, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(in) :: numbers(:)
    real(real32), intent(in), target, contiguous :: images(:, :, :, :), answers(:, :)
    integer, intent(out), optional :: status
    call tell(c_dataset_add(self%handle, size(numbers, kind=c_int64_t), numbers, c_loc(images), &
      size_if(size(images, 4) == size(numbers), size(images, kind=c_int64_t)), &
      type_float, c_loc(answers), &
      size_if(size(answers, 2) == size(numbers), size(answers, kind=c_int64_t)), type_float), status)
  end subroutine

  subroutine add_targets64(self, numbers, images, answers, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(in) :: numbers(:)
    real(real64), intent(in), target, contiguous :: images(:, :, :, :), answers(:, :)
    integer, intent(out), optional :: status
    call tell(c_dataset_add(self%handle, size(numbers, kind=c_int64_t), numbers, c_loc(images), &
      size_if(size(images, 4) == size(numbers), size(images, kind=c_int64_t)), &
      type_double, c_loc(answers), &
      size_if(size(answers, 2) == size(numbers), size(answers, kind=c_int64_t)), type_double), status)
  end subroutine

  subroutine add_labels32(self, numbers, images, answers, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(in) :: numbers(:)
    real(real32), intent(in), target, contiguous :: images(:, :, :, :)
    integer(int32), intent(in), target, contiguous :: answers(:)
    integer, intent(out), optional :: status
    call tell(c_dataset_add(self%handle, size(numbers, kind=c_int64_t), numbers, c_loc(images), &
      size_if(size(images, 4) == size(numbers), size(images, kind=c_int64_t)), &
      type_float, c_loc(answers), &
      size_if(size(answers) == size(numbers), size(answers, kind=c_int64_t)), type_int32), status)
  end subroutine

  subroutine add_labels64(self, numbers, images, answers, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(in) :: numbers(:)
    real(real64), intent(in), target, contiguous :: images(:, :, :, :)
    integer(int32), intent(in), target, contiguous :: answers(:)
    integer, intent(out), optional :: status
    call tell(c_dataset_add(self%handle, size(numbers, kind=c_int64_t), numbers, c_loc(images), &
      size_if(size(images, 4) == size(numbers), size(images, kind=c_int64_t)), &
      type_double, c_loc(answers), &
      size_if(size(answers) == size(numbers), size(answers, kind=c_int64_t)), type_int32), status)
  end subroutine

  subroutine add_labels8(self, numbers, images, answers, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(in) :: numbers(:)
    integer(int8), intent(in), target, contiguous :: images(:, :, :, :)
    integer(int32), intent(in), target, contiguous :: answers(:)
    integer, intent(out), optional :: status
    call tell(c_dataset_add(self%handle, size(numbers, kind=c_int64_t), numbers, c_loc(images), &
      size_if(size(images, 4) == size(numbers), size(images, kind=c_int64_t)), &
      type_uint8, c_loc(answers), &
      size_if(size(answers) == size(numbers), size(answers, kind=c_int64_t)), type_int32), status)
  end subroutine

  ! Collective. Joins what all ranks have added; fit and evaluate do it too.
  subroutine dataset_join(self, samples, status)
    class(convoy_dataset), intent(in) :: self
    integer(int64), intent(out), optional :: samples
    integer, intent(out), optional :: status
    integer(c_int64_t) :: joined
    joined = 0
    call tell(c_dataset_join(self%handle, joined), status)
    if (present(samples)) samples = joined
  end subroutine

  subroutine dataset_free(self)
    class(convoy_dataset), intent(inout) :: self
    call c_dataset_free(self%handle)
    self%handle = c_null_ptr
  end subroutine

  subroutine set_text(self, key, value, status)
    class(convoy_options), intent(inout) :: self
    character(*), intent(in) :: key, value
    integer, intent(out), optional :: status
    integer(c_int) :: code
    code = convoy_done
    if (.not. c_associated(self%handle)) code = c_options_create(self%handle)
    if (code == convoy_done) code = c_options_set(self%handle, to_c(key), to_c(value))
    call tell(code, status)
  end subroutine

  subroutine set_integer(self, key, value, status)
    class(convoy_options), intent(inout) :: self
    character(*), intent(in) :: key
    integer, intent(in) :: value
    integer, intent(out), optional :: status
    character(32) :: text
    write (text, '(i0)') value
    call self%set_text(key, text, status)
  end subroutine

  subroutine set_real(self, key, value, status)
    class(convoy_options), intent(inout) :: self
    character(*), intent(in) :: key
    real(real64), intent(in) :: value
    integer, intent(out), optional :: status
    character(40) :: text
    write (text, '(es24.16e3)') value
    call self%set_text(key, adjustl(text), status)
  end subroutine

  subroutine options_free(self)
    class(convoy_options), intent(inout) :: self
    call c_options_free(self%handle)
    self%handle = c_null_ptr
  end subroutine

  ! `layers`: a layer a line (new_line('a') between them). `loss`: 'quadratic', 'softmax-cross-entropy', ….
  subroutine model_create(self, shape, layers, loss, seed, status)
    class(convoy_model), intent(inout) :: self
    integer, intent(in) :: shape(3)
    character(*), intent(in) :: layers, loss
    integer, intent(in), optional :: seed
    integer, intent(out), optional :: status
    integer(c_int64_t) :: start
    start = 1
    if (present(seed)) start = seed
    call self%free()
    call tell(c_model_create(int(shape(1), c_int64_t), int(shape(2), c_int64_t), int(shape(3), c_int64_t), &
      to_c(layers), to_c(loss), start, self%handle), status)
  end subroutine

  subroutine model_load(self, checkpoint, status)
    class(convoy_model), intent(inout) :: self
    character(*), intent(in) :: checkpoint
    integer, intent(out), optional :: status
    call self%free()
    call tell(c_model_load(to_c(checkpoint), self%handle), status)
  end subroutine

  ! Not collective: all ranks have the same model, so let one save it.
  subroutine model_save(self, checkpoint, status)
    class(convoy_model), intent(in) :: self
    character(*), intent(in) :: checkpoint
    integer, intent(out), optional :: status
    call tell(c_model_save(self%handle, to_c(checkpoint)), status)
  end subroutine

  subroutine callbacks_to_c(callbacks, on_step, on_epoch, context, test)
    type(callbacks_in_c), intent(out) :: callbacks
    procedure(convoy_callback), optional :: on_step, on_epoch
    type(c_ptr), intent(in), optional :: context
    type(convoy_dataset), intent(in), optional :: test
    callbacks = callbacks_in_c(c_null_funptr, c_null_funptr, c_null_ptr, c_null_ptr)
    if (present(on_step)) callbacks%on_step = c_funloc(on_step)
    if (present(on_epoch)) callbacks%on_epoch = c_funloc(on_epoch)
    if (present(context)) callbacks%context = context
    if (present(test)) callbacks%test = test%handle
  end subroutine

  ! Collective. is_complete is false if a callback stopped the fit.
  subroutine model_fit(self, dataset, options, on_step, on_epoch, context, test, is_complete, status)
    class(convoy_model), intent(in) :: self
    type(convoy_dataset), intent(in) :: dataset
    type(convoy_options), intent(in) :: options
    procedure(convoy_callback), optional :: on_step, on_epoch
    type(c_ptr), intent(in), optional :: context
    type(convoy_dataset), intent(in), optional :: test
    logical, intent(out), optional :: is_complete
    integer, intent(out), optional :: status
    type(callbacks_in_c) :: callbacks
    integer(c_int) :: complete
    complete = 0
    call callbacks_to_c(callbacks, on_step, on_epoch, context, test)
    call tell(c_model_fit(self%handle, dataset%handle, options%handle, callbacks, complete), status)
    if (present(is_complete)) is_complete = complete /= 0
  end subroutine

  ! Collective. Goes on with a fit that a callback stopped, also after save and load.
  subroutine model_resume(self, dataset, options, on_step, on_epoch, context, test, is_complete, status)
    class(convoy_model), intent(in) :: self
    type(convoy_dataset), intent(in) :: dataset
    type(convoy_options), intent(in) :: options
    procedure(convoy_callback), optional :: on_step, on_epoch
    type(c_ptr), intent(in), optional :: context
    type(convoy_dataset), intent(in), optional :: test
    logical, intent(out), optional :: is_complete
    integer, intent(out), optional :: status
    type(callbacks_in_c) :: callbacks
    integer(c_int) :: complete
    complete = 0
    call callbacks_to_c(callbacks, on_step, on_epoch, context, test)
    call tell(c_model_resume(self%handle, dataset%handle, options%handle, callbacks, complete), status)
    if (present(is_complete)) is_complete = complete /= 0
  end subroutine

  ! Collective.
  subroutine model_evaluate(self, dataset, evaluation, threads, status)
    class(convoy_model), intent(in) :: self
    type(convoy_dataset), intent(in) :: dataset
    type(convoy_evaluation), intent(out) :: evaluation
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: status
    call tell(c_model_evaluate(self%handle, dataset%handle, or_zero(threads), evaluation), status)
  end subroutine

  ! Numbers that the network gives for an image.
  integer function model_outputs(self)
    class(convoy_model), intent(in) :: self
    model_outputs = int(c_model_outputs(self%handle))
  end function

  ! -1 tells C that an extent does not fit.
  pure integer(c_int64_t) function size_if(fits, numbers)
    logical, intent(in) :: fits
    integer(c_int64_t), intent(in) :: numbers
    size_if = merge(numbers, -1_c_int64_t, fits)
  end function

  pure integer(c_int) function team_of(threads)
    integer, intent(in), optional :: threads
    team_of = 1
    if (present(threads)) team_of = int(threads, c_int)
  end function

  subroutine predict8(self, images, outputs, threads, status)
    class(convoy_model), intent(in) :: self
    integer(int8), intent(in), target, contiguous :: images(:, :, :, :)
    real(real32), intent(out), target, contiguous :: outputs(:, :)
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: status
    call tell(c_model_predict(self%handle, c_loc(images), size(images, kind=c_int64_t), type_uint8, team_of(threads), &
      c_loc(outputs), size_if(size(outputs, 2) == size(images, 4), size(outputs, kind=c_int64_t))), status)
  end subroutine

  subroutine predict32(self, images, outputs, threads, status)
    class(convoy_model), intent(in) :: self
    real(real32), intent(in), target, contiguous :: images(:, :, :, :)
    real(real32), intent(out), target, contiguous :: outputs(:, :)
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: status
    call tell(c_model_predict(self%handle, c_loc(images), size(images, kind=c_int64_t), type_float, team_of(threads), &
      c_loc(outputs), size_if(size(outputs, 2) == size(images, 4), size(outputs, kind=c_int64_t))), status)
  end subroutine

  subroutine predict64(self, images, outputs, threads, status)
    class(convoy_model), intent(in) :: self
    real(real64), intent(in), target, contiguous :: images(:, :, :, :)
    real(real32), intent(out), target, contiguous :: outputs(:, :)
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: status
    call tell(c_model_predict(self%handle, c_loc(images), size(images, kind=c_int64_t), type_double, team_of(threads), &
      c_loc(outputs), size_if(size(outputs, 2) == size(images, 4), size(outputs, kind=c_int64_t))), status)
  end subroutine

  subroutine model_free(self)
    class(convoy_model), intent(inout) :: self
    call c_model_free(self%handle)
    self%handle = c_null_ptr
  end subroutine

end module convoy
