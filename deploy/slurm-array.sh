#!/bin/bash
# Predictions of a large table on many machines of a Slurm cluster: each task of the array takes a shard.
#
#     sbatch --array=0-15 deploy/slurm-array.sh model.safetensors table predictions.parquet
#
# Tasks that failed may be submitted again: a shard that is finished is skipped.
#SBATCH --job-name=headsmith-predict
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=04:00:00
set -euo pipefail
model=${1:?model file} data=${2:?table or folder} out=${3:?file of predictions}
exec headsmith predict --model "$model" --data "$data" --out "$out" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --jobs "$SLURM_CPUS_PER_TASK"
