#!/bin/bash
# Predictions of a large table on many machines of a Slurm cluster: each task of the array takes a shard.
#
#     sbatch --array=0-15 deploy/slurm-array.sh model.safetensors table predictions.parquet 16
#
# The last argument is the number of shards: tasks 0 to 15 of 16. Tasks that failed may be submitted again, alone (--array=3,7) with the same number, or all:
# a shard that is finished is skipped.
#SBATCH --job-name=headsmith-predict
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=04:00:00
set -euo pipefail
model=${1:?model file} data=${2:?table or folder} out=${3:?file of predictions}
# Slurm's own count is that of the tasks submitted now: with --array=3,7 it would be 2, and the shards others.
n=${4:?number of shards, the same for all tasks: 16 for --array=0-15}
if ! [[ $n =~ ^[1-9][0-9]*$ ]] || ((SLURM_ARRAY_TASK_ID >= n)); then
    echo "task $SLURM_ARRAY_TASK_ID is none of $n shards: give their number as the last argument, 16 for --array=0-15" >&2
    exit 2
fi
exec headsmith predict --model "$model" --data "$data" --out "$out" \
    --shard "$SLURM_ARRAY_TASK_ID/$n" --jobs "$SLURM_CPUS_PER_TASK"
