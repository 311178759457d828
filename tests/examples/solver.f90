! The solver of solver.cpp in Fortran: the same equations, samples and network.
!   mpirun -n 3 ./solver_fortran
program solver
  use mpi_f08
  use convoy
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  implicit none

  integer, parameter :: tile = 16, tiles = 4, side = tile*tiles
  integer, parameter :: substeps = 400, teaching_steps = 90, fit_every = 30, test_steps = 60
  real(real64), parameter :: dt = 0.02_real64
  real(real64), parameter :: diffusion(2) = [0.2_real64, 0.02_real64]

  integer :: level, rank, ranks, first, mine, step, i
  type(MPI_Comm) :: strips
  real(real64), allocatable :: fields(:, :, :), guessed(:, :, :)  ! (x, row with one more above and below, u or v)
  real(real64), allocatable :: images(:, :, :, :), changes(:, :, :, :)
  real(real32), allocatable :: guesses(:, :)
  integer(int64), allocatable :: numbers(:)
  real(real64) :: begin, exact_seconds, network_seconds, sums(4), all_sums(4)
  type(convoy_dataset) :: samples
  type(convoy_model) :: model
  type(convoy_options) :: options
  type(convoy_evaluation) :: now

  call MPI_Init_thread(MPI_THREAD_SERIALIZED, level)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  first = tiles*rank/ranks
  mine = tiles*(rank + 1)/ranks - first
  call MPI_Comm_split(MPI_COMM_WORLD, merge(0, 1, mine > 0), rank, strips)
  allocate (fields(side, 0:mine*tile + 1, 2))
  allocate (images(tile, tile, 2, mine*tiles), changes(tile, tile, 2, mine*tiles))
  allocate (guesses(2*tile*tile, mine*tiles), numbers(mine*tiles))
  call begin_fields()

  call samples%create([2, tile, tile], targets=2*tile*tile, comm=MPI_COMM_WORLD%MPI_VAL)
  call model%create([2, tile, tile], 'conv 32 1x1'//new_line('a')//'tanh'//new_line('a')//'conv 32 1x1'// &
    new_line('a')//'tanh'//new_line('a')//'conv 2 1x1', 'quadratic')
  call options%set('train.epochs', 40)
  call options%set('train.batch', 16)
  call options%set('train.micro-batch', 2)
  call options%set('schedule.name', 'cosine')
  call options%set('schedule.lr', 0.002_real64)
  call options%set('optimizer.momentum', 0.9_real64)
  call options%set('schedule.warmup-epochs', 1)

  do step = 1, teaching_steps
    call diffuse(fields)
    images = tiles_of(fields)
    changes = chemistry(images)
    ! Samples are numbered by step and place, wherever they are computed.
    numbers = [(int(((step - 1)*tiles + first)*tiles + i, int64), i=0, mine*tiles - 1)]
    call samples%add(numbers, images, reshape(changes, [2*tile*tile, mine*tiles]))
    call add_tiles(fields, changes)
    if (mod(step, fit_every) /= 0) cycle
    call model%fit(samples, options)
    call model%evaluate(samples, now)
    if (rank == 0) print '(a,i0,a,i0,a,es9.2)', 'step ', step, ': ', now%samples, &
      ' tiles, root mean squared error of the term ', sqrt(2*now%loss/(2*tile*tile))
  end do

  guessed = fields
  exact_seconds = 0
  network_seconds = 0
  do step = 1, test_steps
    call diffuse(fields)
    begin = MPI_Wtime()
    call add_tiles(fields, chemistry(tiles_of(fields)))
    exact_seconds = exact_seconds + MPI_Wtime() - begin
    call diffuse(guessed)
    begin = MPI_Wtime()
    call model%predict(tiles_of(guessed), guesses)
    call add_tiles(guessed, reshape(real(guesses, real64), shape(changes)))
    network_seconds = network_seconds + MPI_Wtime() - begin
  end do

  sums = [sum((tiles_of(fields) - tiles_of(guessed))**2), sum(tiles_of(fields)**2), exact_seconds, network_seconds]
  call MPI_Allreduce(sums, all_sums, 4, MPI_DOUBLE_PRECISION, MPI_SUM, MPI_COMM_WORLD)
  if (rank == 0) then
    print '(a,i0,a,es8.1,a,i0,a)', 'after ', test_steps, ' steps with the network: relative error of the fields ', &
      sqrt(all_sums(1)/all_sums(2)), ', term ', nint(all_sums(3)/all_sums(4)), ' times as fast'
    call model%save('solver_fortran.h5')
  end if
  call model%free()
  call samples%free()
  call options%free()
  call MPI_Comm_free(strips)
  call MPI_Finalize()

contains

  subroutine begin_fields()
    integer :: row, x
    real(real64) :: y
    do row = 1, mine*tile
      y = first*tile + row - 1
      do x = 1, side
        fields(x, row, 1) = 1 + 0.3_real64*sin(6.2832_real64*(x - 1)/side)*cos(6.2832_real64*y/side)
        fields(x, row, 2) = 3 + 0.3_real64*cos(6.2832_real64*(x - 1 + 2*y)/side)
      end do
    end do
  end subroutine

  ! The rows of the ranks form a ring.
  subroutine diffuse(f)
    real(real64), intent(inout) :: f(:, 0:, :)
    real(real64), allocatable :: old(:, :)
    integer :: ring_rank, ring, above, below, rows, k
    if (mine == 0) return
    rows = mine*tile
    call MPI_Comm_rank(strips, ring_rank)
    call MPI_Comm_size(strips, ring)
    above = modulo(ring_rank - 1, ring)
    below = modulo(ring_rank + 1, ring)
    do k = 1, 2
      call MPI_Sendrecv(f(:, rows, k), side, MPI_DOUBLE_PRECISION, below, 0, f(:, 0, k), side, &
        MPI_DOUBLE_PRECISION, above, 0, strips, MPI_STATUS_IGNORE)
      call MPI_Sendrecv(f(:, 1, k), side, MPI_DOUBLE_PRECISION, above, 1, f(:, rows + 1, k), side, &
        MPI_DOUBLE_PRECISION, below, 1, strips, MPI_STATUS_IGNORE)
      old = f(:, :, k)
      f(:, 1:rows, k) = f(:, 1:rows, k) + diffusion(k)*(old(:, 1:rows) + old(:, 3:rows + 2) + &
        cshift(old(:, 2:rows + 1), 1) + cshift(old(:, 2:rows + 1), -1) - 4*old(:, 2:rows + 1))
    end do
  end subroutine

  function tiles_of(f)
    real(real64), intent(in) :: f(:, 0:, :)
    real(real64) :: tiles_of(tile, tile, 2, mine*tiles)
    integer :: i, x, y
    do i = 0, mine*tiles - 1
      x = mod(i, tiles)*tile
      y = i/tiles*tile
      tiles_of(:, :, :, i + 1) = f(x + 1:x + tile, y + 1:y + tile, :)
    end do
  end function

  subroutine add_tiles(f, added)
    real(real64), intent(inout) :: f(:, 0:, :)
    real(real64), intent(in) :: added(:, :, :, :)
    integer :: i, x, y
    do i = 0, mine*tiles - 1
      x = mod(i, tiles)*tile
      y = i/tiles*tile
      f(x + 1:x + tile, y + 1:y + tile, :) = f(x + 1:x + tile, y + 1:y + tile, :) + added(:, :, :, i + 1)
    end do
  end subroutine

  ! What the chemistry adds to the tiles in a step.
  function chemistry(from) result(added)
    real(real64), intent(in) :: from(:, :, :, :)
    real(real64) :: added(tile, tile, 2, mine*tiles)
    integer :: i, x, y
    do i = 1, mine*tiles
      do y = 1, tile
        do x = 1, tile
          added(x, y, :, i) = reacted(from(x, y, :, i)) - from(x, y, :, i)
        end do
      end do
    end do
  end function

  ! du/dt = 1 - 4u + u2v, dv/dt = 3u - u2v, by the classical Runge-Kutta method.
  pure function reacted(from) result(c)
    real(real64), intent(in) :: from(2)
    real(real64) :: c(2), k1(2), k2(2), k3(2), k4(2)
    real(real64), parameter :: h = dt/substeps
    integer :: n
    c = from
    do n = 1, substeps
      k1 = rate(c)
      k2 = rate(c + h/2*k1)
      k3 = rate(c + h/2*k2)
      k4 = rate(c + h*k3)
      c = c + h/6*(k1 + 2*k2 + 2*k3 + k4)
    end do
  end function

  pure function rate(c)
    real(real64), intent(in) :: c(2)
    real(real64) :: rate(2)
    rate = [1 - 4*c(1) + c(1)**2*c(2), 3*c(1) - c(1)**2*c(2)]
  end function

end program solver
